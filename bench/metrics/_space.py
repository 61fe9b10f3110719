"""The data space in which all scores compare: distances and the oracle at D(z), and velocities at test samples."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from bench.contracts import HeldOut, Induced, InView, Oracle, Symmetry

__all__ = ["Phi", "Space", "Tangent", "space_of", "tangent_of"]

CHUNK = 256
REFERENCE = 1024
PUSHES = 4096
DAMPING = 1e-4


class Space:
    """Data space with the metric |d|^2 = d' S^-1 d: S the training covariance of vectors, the identity for images.

    Arguments:
        test: what is scored on. The order of its samples is drawn from its seed, the same for all methods.
    """

    def __init__(self, test: HeldOut) -> None:
        draw = torch.Generator().manual_seed(test.seed)
        self.test = test
        self.order = torch.randperm(len(test.samples), generator=draw)
        some = torch.randperm(len(test.reference), generator=draw)[:REFERENCE]
        self.reference = test.reference.x[some]
        self.view_spread = self.reference.flatten(1).var(0).sum().sqrt().item()
        self.decoded = self.decode(self.reference)
        self.root = None if self.decoded.dim() == 4 else _inverse_root(self.decoded.flatten(1))
        self.spread = self.flat(self.decoded).var(0).sum().sqrt().item()

    def samples(self, count: int) -> Tensor:
        """The first `count` test samples in the drawn order, in the view."""
        return self.test.samples.x[self.order[:count]]

    def decode(self, z: Tensor) -> Tensor:
        """D(z), in chunks that stay in the cache of the processor."""
        return torch.cat([self.test.decode(part) for part in torch.split(z, CHUNK)]) if len(z) else self.test.decode(z)

    def flat(self, x: Tensor) -> Tensor:
        """Vectors (B, D) whose Euclidean length is the metric's."""
        flat = x.flatten(1)
        return flat if self.root is None else flat @ self.root

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """|a - b| of samples (B, *s), shape (B,)."""
        lengths: Tensor = self.flat(a - b).norm(dim=1)
        return lengths

    def push(self, z: Tensor, v: Tensor) -> Tensor:
        """The velocity in data space of a velocity v in the view, (B, *shape) -> (B, D)."""
        parts = [
            torch.func.jvp(self.test.decode, (part,), (along,))[1]
            for part, along in zip(torch.split(z, CHUNK), torch.split(v, CHUNK), strict=True)
        ]
        return self.flat(torch.cat(parts))


class Phi:
    """The oracle, each component standardised on the training samples; constant components are left out.

    Where its values move with the sample none is left out: the unit of a constant one is the RMS deviation of all.

    `carried`: whether its values move with the sample, so that phi(s x) is to be compared with s phi(x). `hidden`:
    whether they do so behind a view, where nobody knows how.
    """

    def __init__(self, space: Space, oracle: Oracle) -> None:
        self.space = space
        self.oracle = oracle
        self.carried = oracle.moves
        self.hidden = isinstance(oracle, InView) and oracle.oracle.moves
        values = self._raw(space.reference, space.decoded)
        spread = values.std(0)
        varies = spread > 1e-6 * values.abs().max().clamp(min=1e-30)
        self.kept = varies | self.carried
        self.spread = torch.where(varies, spread, spread.square().mean().sqrt())[self.kept]

    def __call__(self, z: Tensor, decoded: Tensor) -> Tensor:
        """phi at z, whose D(z) is known, up to a constant: (B, m)."""
        return self.scaled(self._raw(z, decoded))

    def scaled(self, values: Tensor) -> Tensor:
        """Values, or differences of values, of phi in units of its deviation: (B, m)."""
        return values[:, self.kept] / self.spread

    def rates(self, symmetry: Symmetry, z: Tensor) -> Tensor:
        """L_k phi, exact: how fast phi(s x), or phi(s x) - s phi(x), starts to change along each field, (K, B, m)."""
        if not self.carried:
            return torch.stack([torch.func.jvp(self.at, (z,), (one,))[1] for one in symmetry.velocity(z)])
        still = z.new_zeros(len(z), symmetry.K)

        def apart(t: Tensor) -> Tensor:
            return self.scaled(self.oracle.violation(symmetry, z, t))

        axes = [axis.expand_as(still) for axis in torch.eye(symmetry.K).to(z)]
        with torch.enable_grad():  # without it SiLU has no second forward derivative
            return torch.stack([torch.func.jvp(apart, (still,), (axis,))[1] for axis in axes]).detach()

    def at(self, z: Tensor) -> Tensor:
        """phi at z, (B, m)."""
        return self(z, self.space.decode(z))

    def _raw(self, z: Tensor, decoded: Tensor) -> Tensor:
        if isinstance(self.oracle, InView):
            return torch.cat([self.oracle.oracle(x) for x in torch.split(decoded, CHUNK)])
        return torch.cat([self.oracle(part) for part in torch.split(z, CHUNK)])


class Tangent:
    """Velocities in data space at n test samples, as coordinates (K, n, d) in orthonormal frames.

    Where the view has fewer dimensions than the data, the frames span the decoder's tangent: with J'J = Q L Q' the
    coordinates of a pushed velocity v are L^(1/2) Q'v.

    Arguments:
        space: the data space.
        fields: the number of fields that will be asked at once, which decides n.
    """

    def __init__(self, space: Space, fields: int) -> None:
        self.space = space
        width = space.reference.flatten(1).shape[1]
        depth = space.decoded.flatten(1).shape[1]
        self.z = space.samples(min(1024, PUSHES // min(width, max(fields, 1))))
        self.values: Tensor | None = None
        if width < depth:
            unit = torch.eye(width).to(self.z).reshape(width, 1, *self.z.shape[1:])
            self.jacobian = torch.stack([space.push(self.z, e.expand_as(self.z)) for e in unit], 2).double()
            values, self.frame = torch.linalg.eigh(self.jacobian.mT @ self.jacobian)
            self.values = values.clamp(min=0)

    def of(self, symmetry: Symmetry) -> Tensor:
        """A symmetry's velocities, (K, n, d)."""
        v = symmetry.velocity(self.z)
        if self.values is not None:
            along = torch.einsum("nij,kni->knj", self.frame, v.flatten(2).double())
            return along * self.values.sqrt()
        if not len(v):
            return self.space.flat(self.z)[None][:0].double()
        return torch.stack([self.space.push(self.z, one) for one in v]).double()

    def of_truth(self, truth: Symmetry) -> tuple[Tensor, float]:
        """The true velocities, projected on the decoder's tangent, and the share E |P u| / |u| that remains.

        The projection is damped, l -> l / (l + 1e-4 l_max) for the eigenvalues l of J'J.
        """
        if self.values is None or not isinstance(truth, Induced):
            return self.of(truth), 1.0
        u = torch.stack([self.space.flat(one) for one in truth.in_data(self.z)]).double()
        along = torch.einsum("nij,nai,kna->knj", self.frame, self.jacobian, u)
        root = self.values.sqrt()
        damped = root / (self.values + DAMPING * self.values.amax(1, keepdim=True))
        inside = along * damped
        share = inside.norm(dim=2) / u.norm(dim=2).clamp(min=1e-30)
        return inside, share.mean().item()


@lru_cache(maxsize=1)
def space_of(test: HeldOut) -> Space:
    """The space of a test, made once for all metrics of a run."""
    return Space(test)


@lru_cache(maxsize=1)
def tangent_of(test: HeldOut) -> Tangent:
    """The tangent of a test, made once for all metrics of a run."""
    space = space_of(test)
    return Tangent(space, test.action.candidates(space.reference).K)


def _inverse_root(flat: Tensor) -> Tensor:
    """S^(-1/2) of the covariance of vectors (B, D), zero on directions that do not vary."""
    values, columns = torch.linalg.eigh(torch.cov(flat.double().T).reshape(flat.shape[1], flat.shape[1]))
    inverse = torch.where(values > 1e-9 * values.max(), values.clamp(min=1e-300).rsqrt(), 0)
    root: Tensor = (columns * inverse) @ columns.T
    return root.to(flat)
