from collections.abc import Callable
from pathlib import Path

import pytest
from test_improve import Fake, make_data

from experiments.what_helps import main
from jaxnet import DataError
from jaxnet.data.dataset import Dataset


@pytest.mark.parametrize("helps", ["weight decay", "nothing"])
def test_it_holds_if_a_lever_is_recommended(
    helps: str, h5: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, (images, labels, _) = Fake(helps), make_data().train
    path = h5(train_set_x=images, train_set_y=labels, test_set_x=None, test_set_y=None)
    monkeypatch.setattr("jaxnet.evaluation.improvement.improve.predict_held_out", fake)
    result = main(str(path), repeats=1, seeds=2)
    assert result.holds == (helps != "nothing")
    numbers = result.numbers
    assert numbers["levers that help"] == ("weight decay" if result.holds else "none")
    assert "shifted" not in fake.asked
    assert len(numbers["differences"]) == 11
    if result.holds:
        assert numbers["the best lever"] == "weight decay"
        assert numbers["its p-value, for all levers"] < 0.01
    assert result.figure is not None


def test_more_folds_than_pictures(h5: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match="5 folds, but"):
        main(str(h5()))


@pytest.mark.slow
def test_nothing_helps_with_the_articles_cats(cats: Dataset) -> None:
    assert cats.test is not None
    result = main("catvnoncat", repeats=1, seeds=2)
    assert not result.holds
    assert result.numbers["that of the article's setting"] == pytest.approx(0.5, abs=0.04)
