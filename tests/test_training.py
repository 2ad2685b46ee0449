import math
import random
import sys
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from torch import Tensor, nn
from torch.nn import functional as F

from dlcourse import training
from dlcourse.training import (
    History,
    Patience,
    Score,
    choose_device,
    evaluate,
    fit,
    predict,
    set_seed,
    wilson_interval,
)


def net(*extra: nn.Module, n_outputs: int = 2) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), *extra, nn.Linear(8, n_outputs))


def labelled(n: int = 50) -> tuple[Tensor, Tensor]:
    X = torch.randn(n, 2, generator=torch.Generator().manual_seed(2))
    return X, (X[:, 0] > X[:, 1]).long()


def same_weights(a: nn.Module, b: nn.Module) -> bool:
    return all(
        torch.equal(p, q)
        for p, q in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


def loop(model, X, y, optimizer, *, loss=F.cross_entropy, n_epochs, batch_size, seed=0):
    """Train as the chapters do by hand; return the mean loss over the examples of each epoch."""
    generator = torch.Generator().manual_seed(seed)
    history = []
    for _ in range(n_epochs):
        total = 0.0
        for batch in torch.randperm(len(X), generator=generator).split(batch_size):
            model.train()
            value = loss(model(X[batch]), y[batch])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            total += value.item() * len(batch)
        history.append(total / len(X))
    return history


# fit


@pytest.mark.parametrize("batch_size", [1, 16, 25, 50])
def test_fit_is_the_loop_written_by_hand(batch_size):
    X, y = labelled()
    by_hand, by_fit = net(), net()
    losses = loop(
        by_hand, X, y, torch.optim.Adam(by_hand.parameters(), lr=0.02), n_epochs=4,
        batch_size=batch_size, seed=7,
    )  # fmt: skip
    history = fit(
        by_fit, X, y, learning_rate=0.02, n_epochs=4, batch_size=batch_size, seed=7, device="cpu"
    )
    assert same_weights(by_hand, by_fit)
    # 50 = 3 x 16 + 2: the mean is over examples, not over batches.
    assert history.train_loss == pytest.approx(losses, rel=1e-12)
    assert len(history.train_loss) == 4
    assert history.val_loss == history.val_accuracy == []


def test_fit_takes_an_optimizer_or_a_function_that_makes_one():
    X, y = labelled()
    by_hand, given_one, given_function = net(), net(), net()
    loop(by_hand, X, y, torch.optim.SGD(by_hand.parameters(), lr=0.1), n_epochs=3, batch_size=32)
    sgd = torch.optim.SGD(given_one.parameters(), lr=0.1)
    fit(given_one, X, y, optimizer=sgd, n_epochs=3, device="cpu")
    fit(
        given_function,
        X,
        y,
        optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.1),
        n_epochs=3,
        device="cpu",
    )
    assert same_weights(by_hand, given_one)
    assert same_weights(by_hand, given_function)


def test_full_batch_is_gradient_descent_on_all_examples():
    X, y = labelled()
    by_hand, by_fit = net(), net()
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=0.01)
    for _ in range(5):
        optimizer.zero_grad()
        F.cross_entropy(by_hand(X), y).backward()
        optimizer.step()
    fit(by_fit, X, y, batch_size=None, n_epochs=5, device="cpu")
    assert same_weights(by_hand, by_fit)


def test_regression_finds_the_least_squares_line():
    X = torch.linspace(-1, 1, 40, dtype=torch.float64)[:, None]
    y = 2 * X - 1 + 0.1 * torch.sin(20 * X)
    model = nn.Linear(1, 1).double()
    history = fit(model, X, y, loss=F.mse_loss, batch_size=None, n_epochs=2000, X_val=X, y_val=y)
    design = torch.cat([X, torch.ones_like(X)], dim=1)
    best = torch.linalg.lstsq(design, y).solution
    found = torch.stack([model.weight[0], model.bias]).detach()
    torch.testing.assert_close(found, best, rtol=0, atol=1e-8)
    assert history.val_accuracy == []
    assert history.val_loss[-1] == pytest.approx(F.mse_loss(design @ best, y).item(), rel=1e-9)


def test_float32_regression_agrees_with_the_loop():
    X, _ = labelled()
    y = X.sum(dim=1, keepdim=True)
    by_hand, by_fit = net(n_outputs=1), net(n_outputs=1)
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=0.01)
    loop(by_hand, X, y, optimizer, loss=F.mse_loss, n_epochs=3, batch_size=32)
    fit(by_fit, X, y, loss=F.mse_loss, n_epochs=3, device="cpu")
    assert same_weights(by_hand, by_fit)


def test_validation_is_what_evaluate_says_of_the_trained_model():
    X, y = labelled(90)
    model = net()
    history = fit(model, X[:60], y[:60], X_val=X[60:], y_val=y[60:], n_epochs=6)
    score = evaluate(model, X[60:], y[60:])
    assert len(history.val_loss) == len(history.val_accuracy) == len(history.train_loss) == 6
    assert history.val_loss[-1] == pytest.approx(score.loss)
    assert history.val_accuracy[-1] == score.accuracy
    assert history.seconds > 0
    assert history.n_parameters == 2 * 8 + 8 + 8 * 2 + 2


def test_validation_does_not_change_the_training():
    X, y = labelled()
    with_val, without = net(nn.Dropout()), net(nn.Dropout())
    fit(with_val, X, y, X_val=X, y_val=y, n_epochs=3, device="cpu")
    fit(without, X, y, n_epochs=3, device="cpu")
    assert same_weights(with_val, without)


def test_same_seed_same_weights_dropout_included():
    X, y = labelled()
    models = [net(nn.Dropout(0.5)) for _ in range(3)]
    for model, seed in zip(models, [0, 0, 1], strict=True):
        torch.rand(3)  # the global generator may stand anywhere
        fit(model, X, y, n_epochs=3, seed=seed, device="cpu")
    assert same_weights(models[0], models[1])
    assert not same_weights(models[0], models[2])


def test_the_global_generator_is_left_as_found():
    X, y = labelled()
    state = torch.get_rng_state()
    fit(net(nn.Dropout()), X, y, n_epochs=2, device="cpu")
    assert torch.equal(torch.get_rng_state(), state)


def test_training_uses_train_mode_and_leaves_eval_mode():
    X, y = labelled()
    seen: list[bool] = []
    norm = nn.BatchNorm1d(8)
    norm.register_forward_pre_hook(lambda module, _: seen.append(module.training))
    model = net(norm).eval()
    fit(model, X, y, X_val=X, y_val=y, n_epochs=2, batch_size=25)
    # Two looks at two rows for the checks, then twice: two batches and one validation.
    assert seen == [False, False] + [True, True, False] * 2
    assert norm.num_batches_tracked == 4
    assert not any(module.training for module in model.modules())


def test_the_inputs_are_not_changed():
    X, y = labelled()
    X_before, y_before = X.clone(), y.clone()
    fit(net(), X, y, n_epochs=1)
    assert torch.equal(X, X_before)
    assert torch.equal(y, y_before)


def test_numpy_arrays_and_small_integers_do_as_well():
    X, y = labelled()
    X_frozen = X.numpy().copy()
    X_frozen.setflags(write=False)
    as_tensors, as_arrays = net(), net()
    fit(as_tensors, X, y, n_epochs=2, device="cpu")
    fit(as_arrays, X_frozen, y.numpy().astype("int8"), n_epochs=2, device="cpu")
    assert same_weights(as_tensors, as_arrays)


def test_an_autoencoder_may_have_its_inputs_as_targets():
    X, _ = labelled()
    history = fit(net(), X, X, loss=F.mse_loss, n_epochs=30)
    assert history.train_loss[-1] < history.train_loss[0] / 2


# stopping


def test_the_stop_hook_sees_each_epoch_and_ends_the_training():
    X, y = labelled()
    lengths: list[int] = []

    def stop(history: History) -> bool:
        lengths.append(len(history.train_loss))
        return len(lengths) == 3

    history = fit(net(), X, y, n_epochs=10, stop=stop)
    assert lengths == [1, 2, 3]
    assert len(history.train_loss) == 3
    assert history.stopped == "early"
    assert "3 epochs (early)" in repr(history)


def test_all_epochs_give_no_reason_to_stop():
    assert fit(net(), *labelled(), n_epochs=1, stop=lambda _: False).stopped is None


@pytest.mark.parametrize(
    ("losses", "n_epochs", "min_delta", "expected"),
    [
        ([1.0], 1, 0.0, False),
        ([1.0, 1.0], 1, 0.0, True),
        ([1.0, 0.9], 1, 0.0, False),
        ([1.0, 0.9], 1, 0.2, True),
        ([0.5, 0.6, 0.7], 2, 0.0, True),
        ([0.5, 0.6, 0.49], 2, 0.0, False),
        ([0.9, 0.5, 0.6, 0.7], 3, 0.0, False),
    ],
)
def test_patience(losses, n_epochs, min_delta, expected):
    patience = Patience(n_epochs, min_delta)
    assert patience(History("cpu", 1, train_loss=losses)) is expected
    falling = [float(-k) for k in range(len(losses))]
    assert patience(History("cpu", 1, train_loss=falling, val_loss=losses)) is expected


def test_impossible_patience_is_refused():
    for arguments in [(0,), (1, -0.1), (1, float("nan"))]:
        with pytest.raises(ValueError, match="at least"):
            Patience(*arguments)


def test_an_interrupt_keeps_the_model_and_the_finished_epochs():
    X, y = labelled()
    model, calls = net(), []

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        calls.append(1)
        if len(calls) == 6:  # one check, two batches an epoch: the middle of the third epoch
            raise KeyboardInterrupt
        return F.cross_entropy(outputs, targets)

    history = fit(model, X, y, loss=loss, n_epochs=10)
    assert history.stopped == "interrupted"
    assert len(history.train_loss) == 2
    assert predict(model, X).isfinite().all()


# schedules, clipping, callbacks and the best weights


def sgd(rate: float, **options):
    return lambda parameters: torch.optim.SGD(parameters, lr=rate, **options)


def test_a_schedule_is_that_of_pytorch():
    def factor(step: int) -> float:
        return 0.1 + abs(math.sin(step))

    X, y = labelled()
    by_hand, by_fit = net(), net()
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=0.02)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        for batch in torch.randperm(len(X), generator=generator).split(16):
            optimizer.zero_grad()
            F.cross_entropy(by_hand(X[batch]), y[batch]).backward()
            optimizer.step()
            scheduler.step()
    fit(by_fit, X, y, learning_rate=0.02, schedule=factor, n_epochs=3, batch_size=16, device="cpu")
    assert same_weights(by_hand, by_fit)


def test_a_schedule_counts_steps_and_each_group_keeps_its_own_rate():
    X, y = labelled()
    model, seen, rates = net(), [], []
    groups = [
        {"params": model[0].parameters(), "lr": 0.1},
        {"params": model[2].parameters(), "lr": 0.4},
    ]
    optimizer = torch.optim.SGD(groups, lr=1.0)

    def factor(step: int) -> float:
        seen.append(step)
        return 1 / (1 + step)

    def look(*_) -> None:
        rates.append([group["lr"] for group in optimizer.param_groups])

    fit(model, X, y, optimizer=optimizer, schedule=factor, callback=look, n_epochs=2, batch_size=25)
    assert seen == [0, 1, 2, 3]
    assert rates == [[0.1 / 2, 0.4 / 2], [0.1 / 4, 0.4 / 4]]
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.4]


def test_the_rate_comes_back_after_an_error_too():
    X, y = labelled()
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def fail(*_) -> None:
        raise RuntimeError("stop here")

    with pytest.raises(RuntimeError, match="stop here"):
        fit(model, X, y, optimizer=optimizer, schedule=lambda _: 0.5, callback=fail)
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_without_a_schedule_the_rate_is_left_alone():
    X, y = labelled()
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.8)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    fit(model, X, y, optimizer=optimizer, callback=lambda *_: scheduler.step(), n_epochs=3)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)


def test_a_factor_of_zero_stands_still():
    X, y = labelled()
    model = net()
    fit(model, X, y, schedule=lambda _: 0, n_epochs=1, device="cpu")
    assert same_weights(model, net())


@pytest.mark.parametrize("factor", [-0.1, math.nan, math.inf, None, "half"])
def test_impossible_factors_are_refused(factor):
    with pytest.raises(ValueError, match=rf"schedule must give .* for step 1 it gave {factor!r}"):
        fit(net(), *labelled(), schedule=lambda step: factor if step else 1.0)


def test_a_schedule_by_name_is_explained():
    with pytest.raises(TypeError, match=r"a function from the number of a step.*got 'cosine'"):
        fit(net(), *labelled(), schedule="cosine")


def test_clipping_shortens_the_gradient_and_keeps_its_direction():
    X, y = labelled()
    start, free, clipped, loose = (net() for _ in range(4))
    keep = {"optimizer": sgd(0.5), "n_epochs": 1, "batch_size": None, "device": "cpu"}
    fit(free, X, y, **keep)
    fit(clipped, X, y, clip_norm=0.01, **keep)
    fit(loose, X, y, clip_norm=1e6, **keep)

    def move(model: nn.Module) -> Tensor:
        ends = [nn.utils.parameters_to_vector(m.parameters()).detach() for m in (start, model)]
        return ends[1] - ends[0]

    assert move(clipped).norm().item() == pytest.approx(0.5 * 0.01, rel=1e-3)
    cosine = F.cosine_similarity(move(clipped), move(free), dim=0).item()
    assert cosine == pytest.approx(1.0, abs=1e-5)
    assert same_weights(loose, free)


def test_clipping_saves_a_run_that_explodes():
    X = torch.linspace(-1, 1, 8)[:, None]
    keep = {"loss": F.mse_loss, "n_epochs": 50, "batch_size": 4, "optimizer": sgd(30.0)}
    with pytest.raises(FloatingPointError, match="rate than 30"):
        fit(nn.Linear(1, 1), X, 100 * X, **keep)
    history = fit(nn.Linear(1, 1), X, 100 * X, clip_norm=0.1, **keep)
    assert history.train_loss[-1] < history.train_loss[0] / 10


@pytest.mark.parametrize("clip_norm", [0.0, -1.0, math.nan, math.inf])
def test_impossible_clipping_is_refused(clip_norm):
    with pytest.raises(ValueError, match="clip_norm must be positive"):
        fit(net(), *labelled(), clip_norm=clip_norm)


def test_the_callback_sees_each_epoch_in_eval_mode():
    X, y = labelled()
    model, seen = net(nn.Dropout()), []

    def look(shown: nn.Module, history: History) -> None:
        assert shown is model
        seen.append((shown.training, len(history.train_loss), predict(shown, X).mean().item()))

    fit(model, X, y, callback=look, n_epochs=3, stop=lambda history: len(history.train_loss) == 2)
    assert [entry[:2] for entry in seen] == [(False, 1), (False, 2)]
    assert seen[0][2] != seen[1][2]  # it shows the weights of that epoch


def test_a_callback_that_draws_at_random_does_not_change_the_training():
    X, y = labelled()
    watched, alone = net(nn.Dropout()), net(nn.Dropout())
    fit(watched, X, y, n_epochs=3, device="cpu", callback=lambda *_: torch.rand(5))
    fit(alone, X, y, n_epochs=3, device="cpu")
    assert same_weights(watched, alone)


def test_the_best_weights_are_those_of_the_best_epoch():
    X, y = labelled(80)
    val = {"X_val": X[40:], "y_val": 1 - y[40:]}  # reversed labels: it only gets worse
    snapshots: list[dict[str, Tensor]] = []

    def keep(model: nn.Module, _: History) -> None:
        snapshots.append({name: v.clone() for name, v in model.state_dict().items()})

    model = net(nn.BatchNorm1d(8))
    history = fit(
        model, X[:40], y[:40], **val, callback=keep, keep_best=True, stop=Patience(3), n_epochs=50,
        device="cpu",
    )  # fmt: skip
    assert history.stopped == "early"
    assert history.best_epoch == len(history.val_loss) - 3
    best = snapshots[history.best_epoch - 1]
    for name, value in model.state_dict().items():
        assert torch.equal(value, best[name])
    assert evaluate(model, *val.values()).loss == pytest.approx(min(history.val_loss))

    last = net(nn.BatchNorm1d(8))
    fit(last, X[:40], y[:40], **val, stop=Patience(3), n_epochs=50, device="cpu")
    for name, value in last.state_dict().items():
        assert torch.equal(value, snapshots[-1][name])


def test_the_best_weights_survive_an_interrupt():
    X, y = labelled(80)

    def interrupt(_: nn.Module, history: History) -> None:
        if len(history.train_loss) == 5:
            raise KeyboardInterrupt

    model, val = net(), {"X_val": X[40:], "y_val": 1 - y[40:]}
    history = fit(model, X[:40], y[:40], **val, callback=interrupt, keep_best=True)
    assert history.stopped == "interrupted"
    assert evaluate(model, *val.values()).loss == pytest.approx(min(history.val_loss))


def test_the_best_epoch_is_the_first_of_the_lowest():
    assert History("cpu", 1, train_loss=[0.1]).best_epoch is None
    assert History("cpu", 1, val_loss=[0.5, 0.4, 0.6, 0.4]).best_epoch == 2


def test_the_best_weights_need_a_validation_set():
    with pytest.raises(ValueError, match="keep_best compares validation losses"):
        fit(net(), *labelled(), keep_best=True)


# what goes wrong


def test_weights_that_break_in_the_last_step_are_not_returned_in_silence():
    X = torch.linspace(-1, 1, 8)[:, None]
    with pytest.raises(FloatingPointError, match="the last step left NaN or infinity in weight"):
        fit(nn.Linear(1, 1), X, 1e6 * X, loss=F.mse_loss, n_epochs=1, batch_size=None,
            optimizer=sgd(1e38))  # fmt: skip


def test_divergence_is_said_with_step_and_rate():
    X = torch.linspace(-1, 1, 8)[:, None]
    model = nn.Linear(1, 1)
    with pytest.raises(FloatingPointError, match=r"at step \d+, in epoch \d+.*rate than 1e\+10"):
        fit(
            model, X, 100 * X, loss=F.mse_loss, n_epochs=100, batch_size=4,
            optimizer=lambda parameters: torch.optim.SGD(parameters, lr=1e10),
        )  # fmt: skip


def test_divergence_names_the_step_and_the_last_finite_loss():
    X, y = labelled()
    values = iter([1.0, 0.5, 0.25, 0.125, float("nan"), 1.0])  # the first goes to the check

    def loss(outputs: Tensor, _: Tensor) -> Tensor:
        return outputs.sum() * 0 + next(values)

    with pytest.raises(FloatingPointError, match=r"nan at step 4, in epoch 2 .*loss: 0\.125\)"):
        fit(net(), X, y, loss=loss, batch_size=25, n_epochs=5)


X50, Y50 = labelled()
NAN = X50.clone()
NAN[3, 1] = torch.nan


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        (NAN, Y50, ValueError, "X_train holds NaN or infinity, first in row 3"),
        (X50, Y50[:-1], ValueError, "X_train holds 50 examples, but y_train holds 49"),
        (X50[:0], Y50[:0], ValueError, "holds no examples"),
        (X50, Y50 + 1, ValueError, "labels from 1 to 2, but the model has 2 outputs"),
        (X50, 2 * Y50 - 1, ValueError, "labels from -1 to 1"),
        (X50, Y50[:, None], ValueError, r"shape \(50, 1\) and the outputs \(50, 2\)"),
        (X50, Y50.double(), TypeError, "labels are whole numbers"),
        (X50.double(), Y50, TypeError, r"holds torch\.float64, but the model's weights"),
        (X50.numpy().astype("float64"), Y50, TypeError, r"to\(torch\.float32\)"),
        (3.0, Y50, ValueError, "holds no examples"),
    ],
)
def test_bad_data_is_explained(X, y, error, message):
    model = net()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(error, match=message):
        fit(model, X, y)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_bad_validation_data_is_named():
    with pytest.raises(ValueError, match="y_val has labels from 5 to 6"):
        fit(net(), X50, Y50, X_val=X50, y_val=Y50 + 5)
    with pytest.raises(ValueError, match="both X_val and y_val"):
        fit(net(), X50, Y50, X_val=X50)


def test_targets_that_would_broadcast_are_refused():
    model, y = net(n_outputs=1), X50.sum(dim=1)
    with pytest.raises(ValueError, match=r"shape \(50,\), but the outputs have shape \(50, 1\)"):
        fit(model, X50, y, loss=F.mse_loss)
    with pytest.raises(ValueError, match="whole numbers, so labels"):
        fit(model, X50, Y50, loss=F.mse_loss)
    with pytest.raises(TypeError, match="but the outputs are"):
        fit(model, X50, y[:, None].double(), loss=F.mse_loss)


def test_cross_entropy_over_one_output_is_refused():
    for loss in [F.cross_entropy, nn.CrossEntropyLoss()]:
        with pytest.raises(ValueError, match="binary_cross_entropy_with_logits"):
            fit(net(n_outputs=1), X50, Y50, loss=loss)


@pytest.mark.parametrize(
    ("loss", "kind", "message"),
    [
        (
            nn.CrossEntropyLoss,
            TypeError,
            r"the class CrossEntropyLoss; give",
        ),
        (nn.CrossEntropyLoss(reduction="sum"), ValueError, "one number, the mean"),
    ],
)
def test_a_loss_that_is_no_mean_is_refused(loss, kind, message):
    with pytest.raises(kind, match=message):
        fit(nn.Linear(2, 2), torch.zeros(4, 2), torch.zeros(4).long(), loss=loss, n_epochs=1)


def test_targets_of_minus_one_are_refused_by_binary_cross_entropy():
    y = torch.tensor([[1.0], [-1.0], [1.0]])
    for loss in (F.binary_cross_entropy_with_logits, nn.BCEWithLogitsLoss()):
        with pytest.raises(ValueError, match="y_train has targets from -1 to 1"):
            fit(nn.Linear(2, 1), torch.zeros(3, 2), y, loss=loss, n_epochs=1)


@pytest.mark.parametrize("X", [torch.zeros(4, 3), torch.zeros(4, 2).long()])
def test_inputs_that_the_model_cannot_take_are_named(X):
    with pytest.raises((ValueError, TypeError), match=r"X_train"):
        fit(nn.Linear(2, 2), X, torch.zeros(4).long(), n_epochs=1)


def test_a_loss_without_mean_is_refused():
    with pytest.raises(ValueError, match="one number, the mean"):
        fit(net(), X50, Y50, loss=nn.CrossEntropyLoss(reduction="none"))


@pytest.mark.parametrize(
    "settings",
    [
        {"n_epochs": 0},
        {"batch_size": 0},
        {"batch_size": 51},
        {"learning_rate": 0.0},
        {"learning_rate": -0.1},
        {"learning_rate": float("nan")},
        {"learning_rate": float("inf")},
        {"learning_rate": 0.1, "optimizer": torch.optim.SGD},
        {"optimizer": torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1)},
        {"device": "abacus"},
    ],
    ids=str,
)
def test_impossible_settings_are_refused(settings):
    expected = "another model" if len(settings) == 1 and "optimizer" in settings else "got|own|here"
    with pytest.raises(ValueError, match=expected):
        fit(net(), X50, Y50, **settings)


def test_a_model_without_parameters_is_refused():
    with pytest.raises(ValueError, match="nothing to train"):
        fit(nn.Identity(), X50, Y50)


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 9),
    target_shape=st.lists(st.integers(1, 3), max_size=2).map(tuple),
    n_outputs=st.integers(1, 3),
)
def test_float_targets_have_the_shape_of_the_outputs_or_are_refused(n, target_shape, n_outputs):
    X, y = torch.ones(n, 2), torch.ones(n, *target_shape)
    if target_shape == (n_outputs,):
        history = fit(net(n_outputs=n_outputs), X, y, loss=F.mse_loss, n_epochs=1, batch_size=None)
        assert len(history.train_loss) == 1
    else:
        with pytest.raises(ValueError, match="outputs have shape"):
            fit(net(n_outputs=n_outputs), X, y, loss=F.mse_loss, n_epochs=1, batch_size=None)


@settings(deadline=None, max_examples=60)
@given(
    labels=st.lists(st.integers(-2, 4), min_size=1, max_size=9),
    n_outputs=st.integers(2, 4),
)
def test_labels_are_in_range_or_refused(labels, n_outputs):
    X, y = torch.ones(len(labels), 2), torch.tensor(labels)
    if all(label in range(n_outputs) for label in labels):
        assert evaluate(net(n_outputs=n_outputs), X, y).n == len(labels)
    else:
        with pytest.raises(ValueError, match="labels from"):
            evaluate(net(n_outputs=n_outputs), X, y)


# predict and evaluate


@pytest.mark.parametrize("as_input", [lambda X: X, lambda X: X.numpy()])
def test_predict_runs_in_eval_mode_and_restores_each_mode(as_input):
    X, _ = labelled()
    model = net(nn.BatchNorm1d(8), nn.Dropout(0.9))
    model[2].eval()  # a frozen part stays frozen
    modes = [module.training for module in model.modules()]
    outputs = predict(model, as_input(X), batch_size=7)
    assert [module.training for module in model.modules()] == modes
    assert not outputs.requires_grad
    assert outputs.device.type == "cpu"
    torch.testing.assert_close(outputs, model.eval()(X).detach())


def test_predict_restores_the_mode_after_an_error():
    model = net()
    with pytest.raises(RuntimeError):
        predict(model, torch.ones(4, 3))
    assert all(module.training for module in model.modules())


def test_evaluate_agrees_with_a_count_by_hand():
    X, y = labelled(200)
    model = net(n_outputs=3)
    score = evaluate(model, X, y)
    right = sum(
        int(model(row[None]).argmax()) == int(label) for row, label in zip(X, y, strict=True)
    )
    assert score.n == 200
    assert score.accuracy == right / 200
    assert score.interval == wilson_interval(right, 200)
    assert score.loss == pytest.approx(F.cross_entropy(model(X), y).item(), rel=1e-6)


@pytest.mark.parametrize("loss", [F.binary_cross_entropy_with_logits, nn.BCEWithLogitsLoss()])
def test_one_logit_is_scored_by_its_sign(loss):
    logits = torch.tensor([[2.0], [-1.0], [3.0], [-4.0]])
    score = evaluate(nn.Identity(), logits, torch.tensor([[1.0], [1.0], [1.0], [0.0]]), loss=loss)
    assert score.accuracy == 0.75


def test_regression_has_a_loss_alone():
    score = evaluate(nn.Identity(), torch.zeros(1200, 1), torch.ones(1200, 1), loss=F.mse_loss)
    assert score == Score(loss=1.0, accuracy=None, n=1200, interval=None)
    assert str(score) == "loss 1 (n = 1,200)"


def test_labels_of_pixels_are_counted_one_by_one():
    outputs = torch.zeros(2, 3, 4, 4)
    outputs[:, 1] = 1
    y = torch.ones(2, 4, 4, dtype=torch.int64)
    y[0, 0] = 2
    score = evaluate(nn.Identity(), outputs, y)
    assert (score.accuracy, score.n) == (28 / 32, 32)


# Wilson's interval


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [  # R. G. Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_against_published_values(k, n, low, high):
    assert wilson_interval(k, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_against_scipy_and_its_symmetry(counts):
    k, n = counts
    low, high = wilson_interval(k, n, level=0.9)
    theirs = binomtest(k, n).proportion_ci(0.9, method="wilson")
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert 0 <= low <= k / n <= high <= 1
    assert wilson_interval(n - k, n, level=0.9) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@pytest.mark.parametrize(("k", "n", "level"), [(1, 0, 0.9), (3, 2, 0.9), (-1, 2, 0.9), (1, 2, 95)])
def test_wilson_refuses_what_cannot_be(k, n, level):
    with pytest.raises(ValueError, match="got"):
        wilson_interval(k, n, level=level)


# devices and seeds


@pytest.mark.parametrize(
    ("n_cuda", "mps", "expected"), [(0, False, "cpu"), (0, True, "mps"), (2, True, "cuda")]
)
def test_the_first_device_there_is(monkeypatch, n_cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: n_cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device() == torch.device(expected)
    assert choose_device("cpu") == torch.device("cpu")
    with pytest.raises(ValueError, match=r"no device 'cuda:2' here; this machine has \["):
        choose_device("cuda:2")


def test_fit_states_its_device_and_brings_the_model_home():
    model = net()
    history = fit(model, X50, Y50, n_epochs=1)
    assert history.device == str(choose_device())
    assert f"on {history.device}" in repr(history)
    assert next(model.parameters()).device.type == "cpu"


def test_set_seed_seeds_all_three():
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), torch.rand(()).item()  # noqa: NPY002

    set_seed(5)
    first = draw()
    generator = set_seed(5)
    assert draw() == first
    assert generator.initial_seed() == 5
    for seed in [-1, 2**32]:
        with pytest.raises(ValueError, match="seed must"):
            set_seed(seed)


# what a reader sees


def test_the_history_reads_as_one_line_without_seconds():
    history = History("cpu", 1234, [0.9, 0.51234], [0.8, 0.6], [0.5, 0.972], seconds=3.21)
    assert repr(history) == (
        "History: 2 epochs on cpu, 1,234 parameters, train loss 0.5123, validation loss 0.6, "
        "validation accuracy 97.2%"
    )


class Terminal:
    """A stderr that someone watches."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def watch(monkeypatch) -> Terminal:
    """Put a terminal in place of stderr; not a fixture, for pytest swaps stderr after set-up."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    return screen


def test_progress_is_shown_in_a_terminal_and_leaves_no_line(monkeypatch):
    terminal = watch(monkeypatch)
    fit(net(), X50, Y50, n_epochs=3)
    assert "epoch" in terminal.text
    assert not terminal.text.endswith("\n")


def test_progress_states_the_loss(monkeypatch):
    terminal = watch(monkeypatch)

    def slow(_: History) -> bool:
        time.sleep(0.11)  # tqdm redraws ten times a second
        return False

    fit(net(), X50, Y50, n_epochs=3, stop=slow)
    assert "loss 0." in terminal.text


def test_progress_is_silent_when_disabled(monkeypatch):
    terminal = watch(monkeypatch)
    fit(net(), X50, Y50, n_epochs=3, progress=False)
    monkeypatch.setenv("TQDM_DISABLE", "1")
    fit(net(), X50, Y50, n_epochs=3)
    assert terminal.text == ""


def test_progress_is_silent_when_nobody_watches(capfd, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    fit(net(), X50, Y50, n_epochs=3)
    assert capfd.readouterr() == ("", "")


def test_every_public_name_is_documented_with_an_example():
    for name in training.__all__:
        assert ">>>" in (getattr(training, name).__doc__ or ""), name
