"""Modals: what a button opens. Each is the `view` argument of views.open, views.update or views.push."""

from bot.blocks.views.ask import ask_view, graded_view, said_in
from bot.blocks.views.evidence import evidence_view
from bot.blocks.views.gaps import gaps_view
from bot.blocks.views.review import review_view
from bot.blocks.views.why import why_view

__all__ = ["ask_view", "evidence_view", "gaps_view", "graded_view", "review_view", "said_in", "why_view"]
