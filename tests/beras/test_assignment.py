"""The assignment: its four functions, its command, and its accuracy on the real digits."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beras import assignment
from beras.assignment import get_acc_fn, get_loss_fn, get_model, get_optimizer, main
from beras.onehot import OneHotEncoder
from beras.optimizers import BasicOptimizer
from beras.preprocess import load_and_preprocess_data
from beras.training_record import training_record, write_training_record


def digits(samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten random pictures under noise: easy to learn. A thousand are drawn, and repeated."""
    rng = np.random.default_rng(seed)
    pictures = np.random.default_rng(0).integers(0, 200, (10, 28, 28))
    labels = rng.integers(0, 10, 1000)
    images = pictures[labels] + rng.integers(0, 56, (1000, 28, 28))
    return np.resize(images.astype(np.uint8), (samples, 28, 28)), np.resize(labels.astype(np.uint8), samples)


@pytest.fixture(scope="module")
def data_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of MNIST's layout with digits that are quickly learned."""
    x_train, y_train = digits(60000, 1)
    x_test, y_test = digits(10000, 2)
    path = tmp_path_factory.mktemp("digits") / "mnist.npz"
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


def test_the_parts_fit_together() -> None:
    model = get_model()
    model.compile(get_optimizer(), get_loss_fn(), get_acc_fn())
    rng = np.random.default_rng(0)
    x, y = rng.random((20, 784), dtype=np.float32), np.eye(10, dtype=np.float32)[rng.integers(0, 10, 20)]
    metrics, predictions = model.evaluate(x, y, batch_size=7)
    assert set(metrics) == {"loss", "acc"}
    assert predictions.shape == (20, 10)
    np.testing.assert_allclose(predictions.sum(axis=1), 1, rtol=1e-5)
    assert metrics["loss"] < 10  # kaiming: not saturated from the start, as N(0, 1) would be


def test_a_seed_gives_the_same_model_again() -> None:
    for one, same, other in zip(get_model(3).weights, get_model(3).weights, get_model(4).weights, strict=True):
        np.testing.assert_array_equal(one, same)
        assert not np.any(one) or not np.array_equal(one, other)


def test_the_command_trains_evaluates_saves_and_records(
    data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BERAS_MNIST", str(data_file))
    monkeypatch.chdir(tmp_path)
    assert main(["--epochs", "1", "--batch-size", "256", "--seed", "0", "--record", "reports/data"]) == 0
    printed = capsys.readouterr().out
    assert "Epoch 1/1 60,000 samples in " in printed
    assert sorted(p.name for p in tmp_path.iterdir()) == ["predictions.npy", "reports"]

    labels = digits(10000, 2)[1]
    predictions = np.load("predictions.npy", allow_pickle=False)
    assert predictions.shape == (10000, 10)
    accuracy = float(np.mean(predictions.argmax(axis=1) == labels))
    assert accuracy > 0.9
    assert f"Test accuracy {100 * accuracy:.2f} %" in printed

    record = json.loads(Path("reports/data/training.json").read_text())
    assert record["kind"] == "training"
    assert record["accuracy"] == accuracy
    assert {name: len(values) for name, values in record["history"].items()} == dict.fromkeys(
        ("loss", "acc", "val_loss", "val_acc"), 1
    )
    assert np.sum(record["confusion"]) == 10000


@pytest.mark.parametrize("arguments", [["--epochs", "0"], ["--batch-size", "-1"], ["--epochs", "many"]])
def test_wrong_arguments_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_broken_data_file_is_one_line_and_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"rubbish")
    monkeypatch.setenv("BERAS_MNIST", str(tmp_path / "mnist.npz"))
    monkeypatch.setattr(assignment, "PREDICTIONS", tmp_path / "predictions.npy")
    assert main([]) == 2
    error = capsys.readouterr().err
    assert error.startswith("beras: ")
    assert error.count("\n") == 1
    assert not (tmp_path / "predictions.npy").exists()


def test_results_that_cannot_be_saved_are_one_line_and_status_1(
    data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BERAS_MNIST", str(data_file))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").write_text("a file where a folder should be")
    assert main(["--epochs", "1", "--batch-size", "4096", "--record", "reports/data"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("beras: cannot save the results: ")
    assert error.count("\n") == 1


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_training_that_diverged_is_one_line_and_leaves_no_record(
    data_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BERAS_MNIST", str(data_file))
    monkeypatch.setattr(assignment, "get_optimizer", lambda: BasicOptimizer(1e30))
    monkeypatch.chdir(tmp_path)
    assert main(["--epochs", "1", "--batch-size", "4096", "--record", "reports"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("beras: training stopped in epoch 1, batch 2: the loss is nan; it is in what layers.")
    assert error.count("\n") == 1
    assert not Path("reports").exists()


# --- the record


def some_predictions() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thirty images, three of each digit; every third is taken for the next digit, with growing confidence."""
    labels = np.arange(30) % 10
    probabilities = np.full((30, 10), 0.01)
    predicted = np.where(np.arange(30) % 3 == 2, (labels + 1) % 10, labels)
    probabilities[np.arange(30), predicted] = 0.5 + np.arange(30) / 100
    inputs = np.zeros((30, 784), np.float32)
    inputs[:, 0] = np.arange(30) / np.float32(255)
    return inputs, labels, probabilities


def test_the_record_counts_and_chooses() -> None:
    record = training_record({"loss": [np.float32(0.5)]}, *some_predictions())
    assert record["history"] == {"loss": [0.5]}
    assert record["accuracy"] == pytest.approx(20 / 30)
    confusion = np.array(record["confusion"])
    np.testing.assert_array_equal(confusion.sum(axis=1), 3)
    np.testing.assert_array_equal(np.diag(confusion), 2)
    assert confusion[2, 3] == 1
    assert [image["label"] for image in record["right"]] == list(range(10))
    assert all(image["predicted"] == image["label"] for image in record["right"])
    wrong = record["wrong"]
    assert [image["pixels"][0][0] for image in wrong] == [29, 26, 23, 20, 17, 14, 11, 8, 5, 2]
    assert wrong[0] == {"label": 9, "predicted": 0, "confidence": 0.79, "pixels": wrong[0]["pixels"]}
    assert np.shape(wrong[0]["pixels"]) == (28, 28)


def test_pixels_come_back_exactly() -> None:
    pixels = np.arange(784, dtype=np.uint8)
    inputs = (pixels.astype(np.float32) / np.float32(255))[None]
    record = training_record({}, inputs, np.array([0], np.uint8), np.eye(10)[:1])
    np.testing.assert_array_equal(record["right"][0]["pixels"], pixels.reshape(28, 28))


def test_a_perfect_model_has_nothing_wrong() -> None:
    inputs, labels, _ = some_predictions()
    record = training_record({}, inputs, labels, np.eye(10)[labels])
    assert record["wrong"] == []
    assert record["accuracy"] == 1


def test_a_record_that_json_cannot_hold_leaves_the_old_file(tmp_path: Path) -> None:
    path = write_training_record(training_record({"loss": [1.0]}, *some_predictions()), tmp_path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="the training diverged"):
        write_training_record(training_record({"loss": [np.nan]}, *some_predictions()), tmp_path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["training.json"]


# --- the real digits


@pytest.mark.skipif("BERAS_MNIST" not in os.environ, reason="needs the real MNIST: set BERAS_MNIST")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_network_reaches_97_5_percent_within_ten_epochs(seed: int) -> None:
    x_train, y_train, x_test, y_test = load_and_preprocess_data()
    encoder = OneHotEncoder()
    train_labels, test_labels = encoder(y_train), encoder(y_test)
    model = get_model(seed)
    model.compile(get_optimizer(), get_loss_fn(), get_acc_fn())
    metrics: dict[str, Any] = {"acc": 0.0}
    for epoch in range(assignment.EPOCHS):
        model.fit(x_train, train_labels, 1, assignment.BATCH_SIZE, seed=100 * seed + epoch, verbose=False)
        metrics, _ = model.evaluate(x_test, test_labels, 1000)
        if metrics["acc"] >= 0.975:
            return
    pytest.fail(f"{100 * metrics['acc']:.2f} % after {assignment.EPOCHS} epochs")
