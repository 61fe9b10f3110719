"""Message passing between the constituents of a jet: on products of momenta, or on their components."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .._jets import JetNetwork, present
from .forms import Forms

__all__ = ["FreeBranch", "InvariantBranch", "MessagePassing", "Mixed"]

REFERENCES = 2000
TINY = 1e-12


class Messages(nn.Module):
    """m_ij = silu(W (h_i, h_j, asinh G_ij, asinh |p_i - p_j|^2)), h_i' = h_i + f(h_i, sum_j gate(m_ij) m_ij / N).

    Arguments:
        width: size of h and m.
        products: m, how many products G of each pair (B, N, N, m) there are.
        slots: N.
    """

    def __init__(self, width: int, products: int, slots: int) -> None:
        super().__init__()
        self.slots = slots
        self.receiver = nn.Linear(width, width)
        self.sender = nn.Linear(width, width, bias=False)
        self.pair = nn.Linear(2 * products, width, bias=False) if products else None
        self.weights = nn.Linear(width, 2)
        self.update = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))
        self.norm = nn.LayerNorm(width)

    def forward(self, h: Tensor, G: Tensor | None, pairs: Tensor) -> tuple[Tensor, Tensor]:
        """h' (B, N, width), and the coefficients of p_i' = p_i + sum_j c_ij p_j, (B, N, N)."""
        before = self.receiver(h)[:, :, None] + self.sender(h)[:, None]
        if self.pair is not None and G is not None:
            squares = G.diagonal(dim1=1, dim2=2).mT
            apart = squares[:, :, None] + squares[:, None] - 2 * G
            before = before + self.pair(torch.cat([G, apart], -1).asinh())
        m = nn.functional.silu(before)
        gate, c = self.weights(m).unbind(-1)
        share = pairs / self.slots
        received = ((share * gate.sigmoid())[:, :, None] @ m)[:, :, 0]
        out: Tensor = h + self.norm(self.update(torch.cat([h, received], -1)))
        return out, share * c


class MessagePassing(nn.Module):
    """Rounds of messages between constituents, then an MLP of the sum: the form of LorentzNet (arXiv:2201.08187).

    Momenta enter by their products alone: p' = (1 + C) p is G' = (1 + C) G (1 + C)', so that the cancellations of
    large momenta are done with once G is made.

    Arguments:
        features: scalars of a constituent.
        products: of a pair.
        outputs: numbers that come out.
        slots: constituents of a jet, by which sums are divided; others may be given.
        width, depth: size of the scalars, and rounds.
    """

    def __init__(self, features: int, products: int, outputs: int, slots: int, width: int, depth: int) -> None:
        super().__init__()
        self.slots = slots
        self.embed = nn.Linear(features, width)
        self.rounds = nn.ModuleList(Messages(width, products, slots) for _ in range(depth))
        self.read = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, outputs))

    def forward(self, features: Tensor, G: Tensor | None, there: Tensor) -> Tensor:
        """(B, N, features), (B, N, N, products) and which constituents are there (B, N) -> (B, outputs)."""
        there = there.to(features)
        pairs = there[:, :, None] * there[:, None]
        h = self.embed(features)
        for number, messages in enumerate(self.rounds):
            h, c = messages(h, G, pairs)
            if G is not None and number + 1 < len(self.rounds):
                mixing = c + torch.eye(c.shape[1]).to(c)
                G = torch.einsum("bik,bklm,bjl->bijm", mixing, G, mixing)
        out: Tensor = self.read((there[..., None] * h).sum(1) / self.slots)
        return out


class InvariantBranch(JetNetwork):
    """f(<p_i, p_j> / unit): products are made in float64, as those of a jet are a small difference of large numbers.

    A constituent starts with <p_i, p_i>, <p_i, P> and <P, P>, where P is the jet.

    Arguments:
        forms: J of the products p_i'J p_j. If a scaling keeps them too, those of a jet are divided by the root of
            the sum of their squares.
        outputs, slots, width, depth: as of `MessagePassing`.
    """

    def __init__(self, forms: Forms, outputs: int, slots: int, width: int, depth: int) -> None:
        m = len(forms.J)
        super().__init__()
        self.forms = forms
        self.unit: Tensor
        self.register_buffer("unit", torch.ones(m))
        self.network = MessagePassing(3 * m, m, outputs, slots, width, depth)

    def products(self, x: Tensor) -> Tensor:
        """G (B, N, N, m) in float64."""
        p = x.double()
        G = torch.einsum("bia,mac,bjc->bijm", p, self.forms.J.to(p), p)
        if self.forms.dilated:
            size = (G.square().sum((1, 2, 3), keepdim=True) + 1e-60).sqrt()
            G = G / size
        return G

    def measure(self, x: Tensor) -> None:
        """The unit of each product: the median size of those that do not vanish, in some training samples."""
        sizes = self.products(x[:REFERENCES]).flatten(0, 2).abs().T
        there = [g[g > TINY * g.max()] for g in sizes]
        self.unit = torch.stack([g.median() if len(g) else torch.ones(()).to(g) for g in there])

    def predict(self, x: Tensor) -> Tensor:
        G = (self.products(x) / self.unit).to(self.network.embed.weight)
        own, with_jet = G.diagonal(dim1=1, dim2=2).mT, G.sum(2)
        jet = with_jet.sum(1, keepdim=True).expand_as(with_jet)
        out: Tensor = self.network(torch.cat([own, with_jet, jet], -1).asinh(), G, present(x))
        return out


class FreeBranch(JetNetwork):
    """f(p_i / unit): what remains without a metric, messages between constituents with their components as scalars."""

    def __init__(self, n: int, outputs: int, slots: int, width: int, depth: int) -> None:
        super().__init__()
        self.unit: Tensor
        self.register_buffer("unit", torch.ones(1))
        self.network = MessagePassing(n, 0, outputs, slots, width, depth)

    def measure(self, x: Tensor) -> None:
        """The unit of all components: their median size in training samples."""
        self.unit = x[x != 0].abs().median()[None]

    def predict(self, x: Tensor) -> Tensor:
        out: Tensor = self.network((x / self.unit).to(self.network.embed.weight).asinh(), None, present(x))
        return out


class Mixed(JetNetwork):
    """Invariant branch + w x free branch, where w is learned and starts at 0: an approximate symmetry."""

    def __init__(self, invariant: InvariantBranch, free: FreeBranch) -> None:
        super().__init__()
        self.invariant, self.free = invariant, free
        self.weight = nn.Parameter(torch.zeros(1))

    def measure(self, x: Tensor) -> None:
        self.invariant.measure(x)
        self.free.measure(x)

    def predict(self, x: Tensor) -> Tensor:
        return self.invariant.predict(x) + self.weight * self.free.predict(x)
