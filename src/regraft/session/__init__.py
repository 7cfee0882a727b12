"""Session.run: feeds, fetches, and the plans kept for them."""

from regraft.session.session import Session as Session
