"""A sweep against K single runs: of `dlcourse.training.fit` and of the loop written by hand."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from dlcourse.learning import sweeps
from dlcourse.neuron.multilayer import MLP
from dlcourse.training import fit, predict

DICE = torch.Generator().manual_seed(0)
X = torch.randn(70, 2, generator=DICE)
Y = (X[:, 0] * X[:, 1] > 0).long()
X_VAL = torch.randn(300, 2, generator=DICE)  # more than one block of validation
Y_VAL = (X_VAL[:, 0] * X_VAL[:, 1] > 0).long()


def nets(K=4, hidden=(8, 8), n_outputs=2, **options):
    return [MLP(2, list(hidden), n_outputs, seed=k, **options) for k in range(K)]


def assert_same(ours, theirs, tolerance=1e-5):
    for a, b in zip(ours, theirs, strict=True):
        for name, value in b.state_dict().items():
            torch.testing.assert_close(
                a.state_dict()[name], value, rtol=tolerance, atol=tolerance, msg=name
            )


UPDATES = {
    "sgd": (sweeps.sgd, torch.optim.SGD, {}),
    "momentum": (partial(sweeps.sgd, momentum=0.9), torch.optim.SGD, {"momentum": 0.9}),
    "adam": (sweeps.adam, torch.optim.Adam, {}),
    "adamw": (partial(sweeps.adam, apart=True), torch.optim.AdamW, {}),
}


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-11)], ids=["32", "64"]
)
@pytest.mark.parametrize("batch_size", [32, 70])
def test_a_sweep_is_k_single_runs(name, dtype, tolerance, batch_size):
    update, optimizer, options = UPDATES[name]
    rates, decays, seeds = [0.001, 0.01, 0.03, 0.05], [0.0, 0.1, 0.01, 0.0], [3, 1, 4, 1]
    ours, theirs = ([m.to(dtype) for m in nets()] for _ in range(2))
    data = X.to(dtype), Y
    val = {"X_val": X_VAL.to(dtype), "y_val": Y_VAL}
    records = sweeps.train(
        ours, *data, **val, update=update, learning_rate=rates, weight_decay=decays, seed=seeds,
        n_epochs=8, batch_size=batch_size,
    )  # fmt: skip
    for k, (model, record) in enumerate(zip(theirs, records, strict=True)):
        make = partial(optimizer, lr=rates[k], weight_decay=decays[k], **options)
        history = fit(
            model, *data, **val, optimizer=make, seed=seeds[k], n_epochs=8, batch_size=batch_size,
            device="cpu",
        )  # fmt: skip
        given_ = (record.network, record.seed, record.learning_rate, record.weight_decay)
        assert given_ == (k, seeds[k], rates[k], decays[k])
        assert record.train_loss == pytest.approx(history.train_loss, rel=tolerance)
        assert record.val_loss == pytest.approx(history.val_loss, rel=tolerance)
        assert record.val_accuracy == pytest.approx(history.val_accuracy, abs=1e-6)
        assert record.diverged_at is None
    assert_same(ours, theirs, tolerance)


def test_the_order_of_examples_is_the_documented_one():
    (model,) = nets(1)
    (by_hand,) = nets(1)
    sweeps.train([model], X, Y, update=sweeps.sgd, learning_rate=0.1, seed=5, n_epochs=3)
    generator = torch.Generator().manual_seed(5)
    for _ in range(3):
        for batch in torch.randperm(70, generator=generator).split(32):
            by_hand.zero_grad()
            F.cross_entropy(by_hand(X[batch]), Y[batch]).backward()
            with torch.no_grad():
                for p in by_hand.parameters():
                    p -= 0.1 * p.grad
    assert_same([model], [by_hand])


def test_one_setting_serves_all_and_the_seed_is_of_the_order_alone():
    a, b = nets(2), nets(2)
    first = sweeps.train(a, X, Y, n_epochs=2, seed=3, learning_rate=0.02)
    each = sweeps.train(b, X, Y, n_epochs=2, seed=[3, 3], learning_rate=torch.tensor([0.02] * 2))
    assert first[1].train_loss == pytest.approx(each[1].train_loss)
    assert_same(a, b)
    assert first[0].train_loss != first[1].train_loss  # they started elsewhere


@pytest.mark.parametrize("loss", [F.binary_cross_entropy_with_logits, F.mse_loss, nn.MSELoss()])
def test_one_output_and_other_losses(loss):
    y, y_val = Y[:, None].float(), Y_VAL[:, None].float()
    ours, theirs = nets(3, n_outputs=1), nets(3, n_outputs=1)
    records = sweeps.train(ours, X, y, X_val=X_VAL, y_val=y_val, loss=loss, n_epochs=4)
    for model, record in zip(theirs, records, strict=True):
        history = fit(model, X, y, X_val=X_VAL, y_val=y_val, loss=loss, n_epochs=4, device="cpu")
        assert record.train_loss == pytest.approx(history.train_loss, rel=1e-5)
        assert record.val_loss == pytest.approx(history.val_loss, rel=1e-5)
        assert record.val_accuracy == pytest.approx(history.val_accuracy, abs=1e-6)
    assert_same(ours, theirs)


@settings(deadline=None, max_examples=25)
@given(
    K=st.integers(1, 5),
    n=st.integers(1, 12),
    hidden=st.lists(st.integers(1, 5), max_size=2),
    data=st.data(),
)
def test_any_shape_goes_as_alone(K, n, hidden, data):
    batch_size = data.draw(st.integers(1, n))
    ours, theirs = nets(K, hidden, activation=torch.tanh), nets(K, hidden, activation=torch.tanh)
    records = sweeps.train(
        ours, X[:n], Y[:n], n_epochs=2, batch_size=batch_size, seed=range(K), update=sweeps.sgd
    )
    for k, model in enumerate(theirs):
        sgd = partial(torch.optim.SGD, lr=0.01)
        history = fit(
            model, X[:n], Y[:n], n_epochs=2, batch_size=batch_size, seed=k, optimizer=sgd,
            device="cpu",
        )  # fmt: skip
        assert records[k].train_loss == pytest.approx(history.train_loss, rel=1e-4)
    assert_same(ours, theirs)


# layers with a state, and parts that do not move


def normed(seed, dropout=0.0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 2)
        )


def test_batch_normalization_keeps_its_averages():
    ours, theirs = [[normed(k) for k in range(3)] for _ in range(2)]
    val = {"X_val": X_VAL, "y_val": Y_VAL}
    # Not Adam: the biases before the normalization have slope 0, whose rounding it would magnify.
    keep = {"n_epochs": 3, "batch_size": 35}
    records = sweeps.train(ours, X, Y, **val, **keep, update=sweeps.sgd, seed=[0, 1, 2])
    for k, model in enumerate(theirs):
        sgd = partial(torch.optim.SGD, lr=0.01)
        history = fit(model, X, Y, **val, **keep, optimizer=sgd, seed=k, device="cpu")
        assert records[k].val_loss == pytest.approx(history.val_loss, rel=1e-5)
    assert_same(ours, theirs)
    assert int(ours[2][1].num_batches_tracked) == 6


def test_dropout_is_drawn_anew_for_each_network_and_is_off_in_validation():
    twins = [normed(0, dropout=0.5) for _ in range(2)]
    state = torch.get_rng_state()
    records = sweeps.train(twins, X, Y, X_val=X, y_val=Y, n_epochs=2, seed=7)
    assert torch.equal(torch.get_rng_state(), state)
    assert records[0].train_loss != records[1].train_loss  # else both had the same masks
    for model, record in zip(twins, records, strict=True):
        loss = F.cross_entropy(predict(model, X), Y).item()
        assert record.val_loss[-1] == pytest.approx(loss, rel=1e-5)
    again = [normed(0, dropout=0.5) for _ in range(2)]
    assert sweeps.train(again, X, Y, X_val=X, y_val=Y, n_epochs=2, seed=7) == records


def test_dropout_scales_as_in_a_single_run():
    # A linear network on constant inputs: without the factor 1/(1 - p) it would learn 2, not 1.
    models = [nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 1, bias=False)) for _ in range(64)]
    inputs, targets = torch.ones(64, 4), torch.ones(64, 1)
    sweeps.train(models, inputs, targets, loss=F.mse_loss, n_epochs=60, seed=range(64))
    # The minimum of E(wᵀ(m∘x) - 1)² for masks of mean 1 and variance 1: w = 1/(4 + 1) each.
    found = torch.stack([model[1].weight[0].detach() for model in models])
    assert found.mean().item() == pytest.approx(1 / 5, abs=0.01)


def test_frozen_weights_stay():
    models = nets(2)
    for model in models:
        model.layers[0].weight.requires_grad_(False)
    frozen = [model.layers[0].weight.clone() for model in models]
    moved = [model.layers[1].weight.detach().clone() for model in models]
    sweeps.train(models, X, Y, n_epochs=2)
    for model, before, other in zip(models, frozen, moved, strict=True):
        assert torch.equal(model.layers[0].weight, before)
        assert not torch.equal(model.layers[1].weight, other)


def test_models_come_back_as_themselves_in_eval_mode():
    models = nets(2)
    parameters = [id(p) for model in models for p in model.parameters()]
    sweeps.train(models, X, Y, n_epochs=1)
    assert [id(p) for model in models for p in model.parameters()] == parameters
    assert not any(model.training for model in models)
    assert all(p.requires_grad for model in models for p in model.parameters())
    history = fit(models[0], X, Y, n_epochs=1, device="cpu")  # they can be trained on
    assert len(history.train_loss) == 1


# divergence


def test_one_diverges_and_the_others_do_not_notice():
    y = Y[:, None].float()
    together, alone = nets(3, n_outputs=1), nets(3, n_outputs=1)
    keep = {"loss": F.mse_loss, "update": sweeps.sgd, "n_epochs": 5, "seed": [0, 1, 2]}
    val = {"X_val": X_VAL, "y_val": Y_VAL[:, None].float()}
    records = sweeps.train(together, X, y, **val, **keep, learning_rate=[0.1, 1e6, 0.1])
    for k in (0, 2):
        keep["seed"] = k
        (record,) = sweeps.train([alone[k]], X, y, **val, **keep, learning_rate=0.1)
        assert records[k].train_loss == pytest.approx(record.train_loss, rel=1e-5)
        assert records[k].diverged_at is None
        assert all(map(math.isfinite, records[k].train_loss + records[k].val_loss))
    assert_same([together[0], together[2]], [alone[0], alone[2]])

    lost = records[1]
    sgd = partial(torch.optim.SGD, lr=1e6)
    with pytest.raises(FloatingPointError, match=rf"at step {lost.diverged_at}, in epoch"):
        fit(alone[1], X, y, loss=F.mse_loss, optimizer=sgd, n_epochs=5, seed=1, device="cpu")
    assert len(lost.train_loss) == len(lost.val_loss) == 5
    first_epoch = (lost.diverged_at - 1) // 3
    assert all(map(math.isnan, lost.train_loss[first_epoch:] + lost.val_loss[first_epoch:]))
    assert all(map(math.isfinite, lost.train_loss[:first_epoch]))
    assert (
        f"network 1 (seed 1, rate 1e+06, weight decay 0): diverged at step {lost.diverged_at}"
        in repr(lost)
    )


def test_accuracy_of_a_network_that_diverged_is_nan_not_a_guess():
    class Fragile(nn.Module):
        """Its logits are NaN once its weight is above 1."""

        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.tensor([0.5]))

        def forward(self, X):
            return X * (1 - self.w).sqrt()

    # F.cross_entropy of (X₀√, X₁√): raising w above 1 lowers it at first when labels are reversed.
    models = [Fragile() for _ in range(2)]
    rates = [1e-4, 1e4]
    wrong = (X[:, 1] < X[:, 0]).long()
    records = sweeps.train(
        models, X, wrong, X_val=X, y_val=wrong, update=sweeps.sgd, learning_rate=rates, n_epochs=2
    )
    assert records[0].diverged_at is None
    assert records[1].diverged_at == 2
    assert all(map(math.isnan, records[1].val_accuracy))
    assert all(0 <= accuracy <= 1 for accuracy in records[0].val_accuracy)


def test_weights_that_break_in_the_very_last_step_are_told():
    def broken(W, G, t, rate, decay, memory):
        if t == 6:
            W[1] = math.inf

    records = sweeps.train(nets(2), X, Y, update=broken, n_epochs=2)
    assert [record.diverged_at for record in records] == [None, 7]
    assert math.isnan(records[1].train_loss[1])
    assert math.isfinite(records[1].train_loss[0])


def test_a_record_reads_as_one_line():
    record = sweeps.Record(2, 5, 0.1, 0.001, (0.7, 0.51234), (0.6,), (0.972,))
    assert repr(record) == (
        "network 2 (seed 5, rate 0.1, weight decay 0.001): train loss 0.5123, "
        "validation loss 0.6, validation accuracy 97.2%"
    )


# what goes wrong

NAN = X.clone()
NAN[3, 1] = math.nan
FLOATS = Y[:, None].float()


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        (NAN, Y, ValueError, "X_train holds NaN or infinity"),
        (X, Y[:-1], ValueError, r"at least one; got shapes \(70, 2\) and \(69,"),
        (X[:0], Y[:0], ValueError, "at least one"),
        (torch.tensor(3.0), Y, ValueError, r"got shapes \(\)"),
        (X.double(), Y, TypeError, r"X_train holds torch\.float64, but the weights are torch\.fl"),
        (X, Y + 1, ValueError, "labels from 1 to 2, but the networks have 2 outputs, for labels 0"),
        (X, 2 * Y - 1, ValueError, "labels from -1 to 1"),
        (X, Y[:, None], ValueError, r"y_train has shape \(70, 1\), but for outputs"),
        (X, Y.float(), ValueError, r"numbers to predict \(floats\) have \(70, 2\)"),
        (X, FLOATS, ValueError, r"y_train has shape \(70, 1\)"),
        (X, FLOATS.double(), TypeError, "y_train holds"),
    ],
)  # fmt: skip
def test_bad_data_is_explained_and_changes_nothing(X, y, error, message):
    models, untouched = nets(2), nets(2)
    with pytest.raises(error, match=message):
        sweeps.train(models, X, y)
    assert_same(models, untouched, 0.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be positive, got 0"),
        ({"learning_rate": [0.1, -0.1]}, "learning_rate must be positive, got -0.1"),
        ({"learning_rate": math.nan}, "learning_rate must be positive, got nan"),
        ({"learning_rate": math.inf}, "learning_rate must be positive, got inf"),
        ({"learning_rate": [0.1, 0.1, 0.1]}, "learning_rate is one number or 2, one for each"),
        ({"weight_decay": -1.0}, "weight_decay must be 0 or more, got -1"),
        ({"seed": [1]* 3}, "seed is one number or 2"),
        ({"seed": 0.5}, "seed must be a whole number from 0, got 0.5"),
        ({"n_epochs": 0}, "n_epochs must be at least 1"),
        ({"batch_size": 0}, "batch_size from 1 to the 70 examples; got 5 and 0"),
        ({"batch_size": 71}, "batch_size from 1"),
        ({"X_val": X}, "both X_val and y_val"),
        ({"X_val": X, "y_val": Y + 5}, "y_val has labels from 5 to 6"),
    ],
    ids=str,
)  # fmt: skip
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        sweeps.train(nets(2), X, Y, **{"n_epochs": 5, **options})


def test_targets_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"y_train has shape \(70,\), but .* have \(70, 1\)"):
        sweeps.train(nets(2, n_outputs=1), X, Y.float(), loss=F.mse_loss)


def test_cross_entropy_over_one_output_is_refused():
    with pytest.raises(ValueError, match="binary_cross_entropy_with_logits"):
        sweeps.train(nets(2, n_outputs=1), X, FLOATS)


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ([], "one network or more"),
        ([nets(1)[0]] * 2, "each an object of its own"),
        ([*nets(2), *nets(1, (8, 4))], "network 2 differs from 0"),
        ([*nets(1), nn.Linear(2, 2)], "network 1 differs from 0"),
        ([*nets(1), *nets(1, activation=torch.tanh)], "network 1 computes something else"),
        ([nn.Identity(), nn.Identity()], "no weights to train"),
    ],
)
def test_networks_that_do_not_belong_together_are_refused(models, message):
    with pytest.raises(ValueError, match=message):
        sweeps.train(models, X, Y)


def test_networks_that_differ_in_dropout_alone_are_refused():
    models = [nn.Sequential(nn.Linear(2, 2), nn.Dropout(p)) for p in (0.1, 0.5)]
    with pytest.raises(ValueError, match="network 1 differs from 0"):
        sweeps.train(models, torch.zeros(4, 2), torch.zeros(4).long(), n_epochs=1, batch_size=2)


def test_binary_targets_of_minus_one_are_refused_and_an_instance_is_scored():
    X, y = torch.randn(8, 2), torch.tensor([[0.0], [1.0]] * 4)
    loss = nn.BCEWithLogitsLoss()
    with pytest.raises(ValueError, match="targets from -1 to 1"):
        sweeps.train([nn.Linear(2, 1)], X, 2 * y - 1, loss=loss, n_epochs=1, batch_size=None)
    told = sweeps.train(
        [nn.Linear(2, 1)], X, y, X_val=X, y_val=y, loss=loss, n_epochs=1, batch_size=None
    )
    assert 0 <= told[0].val_accuracy[0] <= 1
