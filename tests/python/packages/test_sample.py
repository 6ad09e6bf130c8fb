import pytest


@pytest.fixture
def five():
    return 5


def test_right(five):
    print("printed")
    assert five == 5


def test_wrong(five, capsys):
    print("captured")
    assert capsys.readouterr().out == "captured\n"
    assert five == 6
