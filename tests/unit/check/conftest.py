import pytest

from osc_imgurl.check import facts


@pytest.fixture(autouse=True)
def few_expiries(monkeypatch):
    """Fewer expiries are tried than else: all of nine days take a second for each key."""
    monkeypatch.setattr(facts, 'EXPIRED_SINCE', 3600)
    monkeypatch.setattr(facts, 'EXPIRES_WITHIN', 7200)
