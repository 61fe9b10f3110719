"""LaLiGAN: generators in coordinates that are learned with them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bench.contracts import Action, BenchError, Method, Samples, Symmetry, Task

from .._adversarial import Critics, Features, Game, Player, Stacked, in_single, judge, play
from .generators import Generators

__all__ = ["LaLiGAN", "LatentGenerators"]

FEW = 4096
JUDGING = 0.25
LEAST = 1e-4


class Bent(nn.Module):
    """A linear map plus a network that is zero at first, R side by side: (R, B, inputs) -> (R, B, outputs)."""

    def __init__(self, count: int, inputs: int, outputs: int, width: int, layers: int, draw: torch.Generator) -> None:
        super().__init__()
        self.straight = Stacked(count, [inputs, outputs], draw)
        self.network = Stacked(count, [inputs, *[width] * layers, outputs], draw)
        nn.init.zeros_(self.network.weights[-1])

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.straight(x) + self.network(x)
        return out


class Coordinates(nn.Module):
    """R encoders and decoders x <-> z of standardised samples; z has mean 0 and covariance 1.

    Whitening keeps an encoder from making components alike, in which case generators at unit speed would move nothing.

    Arguments:
        count: R.
        inputs: D, of a flattened sample.
        latent: d, of z.
        width, layers: units of a hidden layer, and how many of these.
    """

    def __init__(
        self, count: int, inputs: int, latent: int, width: int, layers: int, draw: torch.Generator | None = None
    ) -> None:
        super().__init__()
        draw = draw or torch.Generator()
        self.encoder = Bent(count, inputs, latent, width, layers, draw)
        self.decoder = Bent(count, latent, inputs, width, layers, draw)
        self.centre: Tensor
        self.spread: Tensor
        self.mean: Tensor
        self.whitening: Tensor
        self.register_buffer("centre", torch.zeros(inputs))
        self.register_buffer("spread", torch.ones(inputs))
        self.register_buffer("mean", torch.zeros(count, 1, latent))
        self.register_buffer("whitening", torch.eye(latent).repeat(count, 1, 1))

    def standardise(self, x: Tensor) -> None:
        """Take the scales of samples from x (N, *s)."""
        flat = x.flatten(1)
        self.centre, self.spread = flat.mean(0), flat.std(0).clamp(min=1e-6)

    def encode(self, x: Tensor, *, learn: bool = False) -> Tensor:
        """x (B, *s) -> z (R, B, d).

        Arguments:
            learn: take mean and covariance of z from these samples, and keep them.
        """
        u = (x.flatten(1) - self.centre) / self.spread
        raw: Tensor = self.encoder(u.expand(len(self.mean), *u.shape))
        if learn:
            mean = raw.mean(1, keepdim=True)
            covariance = torch.einsum("rbi,rbj->rij", raw - mean, raw - mean) / raw.shape[1]
            one = torch.eye(raw.shape[2]).to(raw)
            whitening = torch.linalg.inv(torch.linalg.cholesky(covariance + LEAST * one)).mT
            self.mean, self.whitening = mean.detach(), whitening.detach()
            return torch.bmm(raw - mean, whitening)
        return torch.bmm(raw - self.mean, self.whitening)

    def decode(self, z: Tensor) -> Tensor:
        """z (R, B, d) -> standardised samples (R, B, D)."""
        out: Tensor = self.decoder(z)
        return out

    def lost(self, x: Tensor, z: Tensor) -> Tensor:
        """The share of the samples' variance that z does not bring back, (R,)."""
        u = (x.flatten(1) - self.centre) / self.spread
        return (self.decode(z) - u).square().mean((1, 2))


class LatentGenerators(Symmetry):
    """v_k(x) = dD(L_k z), z = E(x); the flow is x + D(exp(sum_k t_k L_k) z) - D(z), so that nothing moves at t = 0.

    Arguments:
        K: number of fields.
        latent, width, layers: of the coordinates.
    """

    def __init__(self, action: Action, K: int, latent: int, width: int, layers: int) -> None:
        super().__init__(action, K)
        self.shape = {"latent": latent, "width": width, "layers": layers}
        self.coordinates = Coordinates(1, math.prod(action.shape), latent, width, layers)
        self.generators: Tensor
        self.register_buffer("generators", torch.zeros(K, latent, latent))

    def config(self) -> dict[str, Any]:
        return {"K": self.K, **self.shape}

    def velocity(self, x: Tensor) -> Tensor:
        z = self.coordinates.encode(x)
        moves = torch.einsum("kij,rbj->krbi", self.generators, z)
        rates = [torch.func.jvp(self.coordinates.decode, (z,), (move,))[1][0] for move in moves]
        return (torch.stack(rates) * self.coordinates.spread).reshape(self.K, *x.shape)

    def transform(self, x: Tensor, t: Tensor) -> Tensor:
        z = self.coordinates.encode(x)
        g = torch.linalg.matrix_exp(torch.einsum("bk,kij->bij", t, self.generators))
        moved = self.coordinates.decode(torch.einsum("bij,rbj->rbi", g, z)) - self.coordinates.decode(z)
        return x + (moved[0] * self.coordinates.spread).reshape(x.shape)


class LatentProposals(Player):
    """(g z, y) for z = E(x), with encoders, decoders and generators learned together.

    Arguments:
        spread: deviation of the coefficients.
        weight: of the share of variance that is lost.
    """

    bends = True

    def __init__(
        self, coordinates: Coordinates, generators: Generators, labels: Features | None, spread: float, weight: float,
        draw: torch.Generator,
    ) -> None:  # fmt: skip
        super().__init__()
        self.coordinates, self.generators, self.labels = coordinates, generators, labels
        self.spread, self.weight, self.draw = spread, weight, draw

    def still(self, samples: Samples) -> Tensor:
        return self._with_label(self.coordinates.encode(samples.x, learn=self.training), samples)

    def moved(self, samples: Samples) -> Tensor:
        z = self.coordinates.encode(samples.x, learn=self.training)
        R, K = self.generators.raw.shape[:2]
        g = self.generators.elements((self.spread * torch.randn(R, len(samples), K, generator=self.draw)).to(z))
        return self._with_label(torch.einsum("rbij,rbj->rbi", g, z), samples)

    def penalty(self, samples: Samples, moved: Tensor) -> Tensor:
        z = self.coordinates.encode(samples.x, learn=self.training)
        return self.weight * self.coordinates.lost(samples.x, z).sum()

    def _with_label(self, z: Tensor, samples: Samples) -> Tensor:
        if self.labels is None:
            return z
        seen = self.labels(samples.x[:, :0], samples.y)
        return torch.cat([z, seen.expand(len(z), *seen.shape)], -1)


@dataclass(frozen=True)
class LaLiGAN(Method):
    """LieGAN in coordinates z = E(x) that are learned with it: critics see (exp(sum_k t_k L_k) z, y) and (z, y).

    Encoder and decoder minimise what critics notice and the variance that is lost on the way x -> z -> x. Restarts
    play side by side; the one is taken with the least sum of the divergence in bits that critics reach on validation
    samples and the share of variance that is lost there. Labels that the action moves are left out.

    Arguments:
        K: number of channels.
        latent: dimension of z; 0: that of a sample, 8 at most.
        spread: deviation of the coefficients, for fields at unit speed in z.
        reconstruction: weight of the lost share of variance.
        restarts: games played side by side.
        width: units of hidden layers.
        layers: hidden layers of encoders, decoders and critics.
        steps: of the game; a quarter as many to judge.
        batch: samples in a step.
        rate: highest learning rate of coordinates and generators.
        critic_rate: the critics'.
    """

    K: int = 1
    latent: int = 0
    spread: float = 1.0
    reconstruction: float = 2.0
    restarts: int = 2
    width: int = 64
    layers: int = 2
    steps: int = 1500
    batch: int = 256
    rate: float = 0.005
    critic_rate: float = 0.003

    actions = ("field",)
    uses = frozenset({"labels"})
    paper = "https://arxiv.org/abs/2310.00105"

    def __post_init__(self) -> None:
        if self.K < 1 or self.latent < 0:
            what = f"K = {self.K}, latent = {self.latent}; allowed are at least 1 and 0"
            raise BenchError(what, "for example K=1 latent=0", usage=True)

    def discover(self, task: Task) -> Symmetry:
        draw = torch.Generator().manual_seed(task.seed)
        train, valid = self._seen(task, task.train), self._seen(task, task.valid)
        d = self.latent or min(8, train.x[0].numel())
        coordinates = Coordinates(self.restarts, train.x[0].numel(), d, self.width, self.layers, draw).to(train.x)
        coordinates.standardise(train.x)
        space = math.sqrt(d) * torch.eye(d * d).reshape(-1, d, d).to(train.x)
        generators = Generators(space, self.restarts, self.K, unit=True, size=1.0, draw=draw)
        labels = None if train.y is None else Features(Samples(train.x[:, :0].flatten(1), train.y))
        proposals = LatentProposals(coordinates, generators, labels, self.spread, self.reconstruction, draw)
        inputs = d + (0 if labels is None else labels.count)
        critics = Critics(self.restarts, inputs, self.width, self.layers, draw).to(train.x)
        game = Game(task.steps(self.steps), self.batch, self.rate, self.critic_rate)
        play(critics, proposals, train, game, draw, task.progress)
        return self._chosen(task, critics, proposals, train, valid, draw)

    def _chosen(
        self, task: Task, critics: Critics, proposals: LatentProposals, train: Samples, valid: Samples,
        draw: torch.Generator,
    ) -> Symmetry:  # fmt: skip
        coordinates = proposals.coordinates
        with torch.no_grad():
            coordinates.encode(train.x[:FEW], learn=True)
        proposals.eval()
        game = Game(task.steps(round(JUDGING * self.steps)), self.batch, self.rate, self.critic_rate)
        told = judge(critics, proposals, train, valid, game, draw).told
        with torch.no_grad():
            lost = coordinates.lost(valid.x, coordinates.encode(valid.x))
            best = int((told + lost).argmin())
            d = proposals.generators.space.shape[-1]
            found = LatentGenerators(task.action, self.K, d, self.width, self.layers).to(train.x)
            found.coordinates.load_state_dict(
                {
                    name: value if value.dim() < 2 else value[best : best + 1]
                    for name, value in coordinates.state_dict().items()
                }
            )
            found.generators = proposals.generators.matrices()[best].clone()
            found.scores = told[best].expand(self.K).clone()
        return found.requires_grad_(False).to(task.train.x.dtype).eval()

    @staticmethod
    def _seen(task: Task, samples: Samples) -> Samples:
        return in_single(samples.unlabelled() if task.action.target is not None else samples)
