"""Parts of the game: critics, features, judgement."""

from __future__ import annotations

import math

import pytest
import torch
from bench.methods._adversarial import Critics, Features, Game, Judged, Player, distance, judge, play, told_apart
from bench.methods._image_features import ImageFeatures
from bench.methods._search_space import search_space
from torch import Tensor, nn
from torch.nn import functional as F

from bench.contracts import BenchError, Field, FourVector, ImageAffine, Linear, Samples


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_critics_side_by_side_are_networks_of_their_own() -> None:
    critics = Critics(3, 5, 8, 2, drawn())
    x = torch.randn(3, 7, 5, generator=drawn())
    for r in range(3):
        layers: list[nn.Module] = []
        for weight, bias in zip(critics.weights, critics.biases, strict=True):
            layer = nn.Linear(*weight.shape[1:])
            layer.weight.data, layer.bias.data = weight[r].T, bias[r, 0]
            layers += [layer, nn.LeakyReLU(0.2)]
        torch.testing.assert_close(critics(x)[r], nn.Sequential(*layers[:-1])(x[r])[:, 0])


def test_divergence_is_that_of_the_best_critic() -> None:
    """Jensen-Shannon of two laws on {0, 1} in closed form, reached by the logit log p / q."""
    p, q = torch.tensor([0.5, 0.5]), torch.tensor([0.1, 0.9])
    middle = (p + q) / 2
    exact = sum((side * (side / middle).log2()).sum() / 2 for side in (p, q))
    counts = [torch.repeat_interleave(torch.arange(2), (1000 * side).round().long()) for side in (p, q)]
    found = told_apart(lambda x: (p / q).log()[x], *(side[None] for side in counts))  # type: ignore[arg-type]
    assert found.item() == pytest.approx(exact.item(), abs=1e-3)


def test_blind_critics_tell_nothing() -> None:
    assert told_apart(lambda x: 0 * x, torch.ones(1, 5), torch.zeros(1, 9)).item() == pytest.approx(0)  # type: ignore[arg-type]


def test_features_are_standardised_and_classes_are_unit_vectors() -> None:
    x = 5 + 3 * torch.randn(1000, 4, generator=drawn())
    y = torch.arange(1000) % 3
    seen = Features(Samples(x, y))(x, y)
    assert seen.shape == (1000, 7)
    torch.testing.assert_close(seen.mean(0), torch.zeros(7), atol=1e-5, rtol=0)
    torch.testing.assert_close(seen.std(0), torch.ones(7))
    classes = seen[:, 4:]
    torch.testing.assert_close(classes[0] - classes[1], classes[3] - classes[4])


def test_products_put_a_quadratic_relation_in_plain_sight() -> None:
    """Off the light cone by 3 %, momenta leave the range of what is seen on it."""
    momenta = torch.randn(2000, 2, 3, generator=drawn())
    light = torch.cat([momenta.norm(dim=-1, keepdim=True), momenta], -1)
    heavy = light * torch.tensor([1.03, 1, 1, 1])
    plain, products = Features(Samples(light)), Features(Samples(light), 2)
    assert products.count == 8 + 20
    seen, off = products(light, None)[:, 8:].reshape(-1, 2, 10), products(heavy, None)[:, 8:].reshape(-1, 2, 10)
    ratio = off.square().mean(0).sqrt() / seen.square().mean(0).sqrt().clamp(min=0.01)
    assert ratio.max() > 10
    assert ((plain(heavy, None) / plain(light, None)).median() - 1).abs() < 0.1


def smooth(count: int) -> Tensor:
    """Images of three waves, with little else in them."""
    waves = torch.stack([torch.arange(64).mul(0.1 * k).cos() for k in range(1, 4)])
    images = torch.randn(count, 3, generator=drawn()) @ waves + 1e-3 * torch.randn(count, 64, generator=drawn(1))
    return images.reshape(count, 1, 8, 8)


def test_of_images_large_components_are_seen_and_no_others() -> None:
    images, labels = smooth(1000), torch.arange(1000) % 2
    features = ImageFeatures(Samples(images, labels), 0.02)
    seen = features(images, labels)
    assert features.count == seen.shape[1] == 3 + 2
    torch.testing.assert_close(seen.T.cov()[:3, :3], torch.eye(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(features.images(seen), images - images.mean(0), atol=0.01, rtol=0)
    noise = 1e-3 * torch.randn(images.shape, generator=drawn(2))
    assert (features(images + noise, labels) - seen).abs().max() < 0.01


def test_all_components_make_the_whole_image() -> None:
    images = torch.rand(500, 2, 4, 4, generator=drawn())
    features = ImageFeatures(Samples(images), 0.0)
    assert features.count == 32
    torch.testing.assert_close(features.images(features(images, None)), images - images.mean(0), atol=1e-4, rtol=0)


def test_independent_samples_are_at_distance_one() -> None:
    one, other = torch.randn(2, 3, 20000, 4, generator=drawn())
    torch.testing.assert_close(distance(one, other), torch.ones(3), atol=0.02, rtol=0)
    torch.testing.assert_close(distance(5 * one, 5 * other), distance(one, other))
    assert distance(one, one).max() < 1e-5


class Shift(Player):
    """x + c: one number for each of R generators."""

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.shift = nn.Parameter(start)

    def still(self, samples: Samples) -> Tensor:
        return samples.x.expand(len(self.shift), *samples.x.shape)

    def moved(self, samples: Samples) -> Tensor:
        return self.still(samples) + self.shift[:, None, None]

    def penalty(self, samples: Samples, moved: Tensor) -> Tensor:
        return moved.new_zeros(())


def test_players_learn_what_critics_cannot_tell_and_rest_while_judged() -> None:
    player = Shift(torch.tensor([1.0, -0.8]))
    samples = Samples(torch.randn(2000, 1, generator=drawn()))
    critics = Critics(2, 1, 16, 2, drawn())
    play(critics, player, samples, Game(300, 128, 0.03, 0.003), drawn())
    assert player.shift.detach().abs().max() < 0.15
    learned = player.shift.detach().clone()
    judged = judge(critics, player, samples, samples, Game(20, 128, 0.03, 0.003), drawn())
    torch.testing.assert_close(player.shift.detach(), learned, rtol=0, atol=0)
    assert judged.told.max() < 0.05
    torch.testing.assert_close(judged.moved, learned.abs() / math.sqrt(2) / samples.x[1000:].std(), rtol=1e-3, atol=0)


class Mirror(Shift):
    """x -> -x, which normal samples do not tell."""

    def moved(self, samples: Samples) -> Tensor:
        return -self.still(samples)


@pytest.mark.parametrize(("count", "size", "least", "most"), [(40, 200, 0.5, 1), (10000, 2, 0, 0.005)])
def test_critics_that_know_samples_by_heart_speak_for_no_generator(count, size, least, most) -> None:
    train, valid = (Samples(torch.randn(number, size, generator=drawn(number))) for number in (count, 4000))
    player, critics = Mirror(torch.zeros(1)), Critics(1, size, 64, 2, drawn())
    judged = judge(critics, player, train, valid, Game(200, 40, 0.01, 0.003), drawn())
    assert least <= judged.told.item() <= most


class Heard(Shift):
    """A shift that keeps all of its values, one for each time that it is asked to learn."""

    def __init__(self, start: Tensor) -> None:
        super().__init__(start)
        self.heard: list[Tensor] = []

    def penalty(self, samples: Samples, moved: Tensor) -> Tensor:
        self.heard.append(self.shift.detach().clone())
        return super().penalty(samples, moved)


class Bending(Heard):
    bends = True


def test_players_end_at_their_mean_over_the_last_third_unless_they_bend() -> None:
    samples = Samples(torch.randn(200, 1, generator=drawn()))
    ends = []
    for kind in (Heard, Bending):
        player = kind(torch.tensor([1.0, -0.8]))
        play(Critics(2, 1, 16, 2, drawn()), player, samples, Game(30, 32, 0.03, 0.003), drawn())
        ends.append((player.shift.detach(), player.heard))
    (mean, heard), (last, steps) = ends
    among = torch.stack(heard[21:])
    assert ((mean > among.min(0).values) & (mean < among.max(0).values)).all()
    assert (last - steps[-1]).abs().max() < 0.03


def test_who_stands_still_does_not_win() -> None:
    told, moved = torch.tensor([0.0, 0.3, 0.2]), torch.tensor([0.01, 0.5, 0.6])
    assert Judged(told, moved).best(0.1) == 2
    assert Judged(told, moved).best(0.7) is None


@pytest.mark.parametrize(
    ("action", "shape", "count"),
    [(Linear((3,)), (3,), 9), (Linear((6,), 3), (6,), 9), (FourVector((2, 4)), (2, 4), 16)],
    ids=["linear", "blocks", "four_vector"],
)
def test_search_space_is_orthonormal_over_samples(action: Linear, shape: tuple[int, ...], count: int) -> None:
    x = torch.randn(500, *shape, generator=drawn()) + 1
    space = search_space(action, x)
    assert len(space) == count
    moves = action.velocity(space, x).flatten(1)
    deviation = (x - x.mean(0)).square().sum() / len(x)
    torch.testing.assert_close(moves @ moves.T / len(x) / deviation, torch.eye(count), atol=1e-3, rtol=0)


def test_search_space_leaves_out_what_moves_no_sample() -> None:
    """In a plane of space, gl(3) moves points in six ways alone."""
    x = F.pad(torch.randn(300, 2, generator=drawn()), (0, 1))
    assert len(search_space(Linear((3,)), x)) == 6
    assert len(search_space(ImageAffine((1, 8, 8)), torch.rand(50, 1, 8, 8, generator=drawn()))) == 6


def test_blocks_mask_the_search_space() -> None:
    space = search_space(Linear((4,)), torch.randn(300, 4, generator=drawn()), block=2)
    assert len(space) == 8
    assert space[:, :2, 2:].abs().max() == 0
    assert space[:, 2:, :2].abs().max() == 0


@pytest.mark.parametrize(("action", "block"), [(Linear((4,)), 3), (Field((4,)), 0)], ids=["no divisor", "no matrices"])
def test_what_cannot_be_searched_is_told(action: Linear, block: int) -> None:
    with pytest.raises(BenchError, match=r"does not divide the 4|has no matrices"):
        search_space(action, torch.randn(50, 4, generator=drawn()), block)
