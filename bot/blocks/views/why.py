"""Why this verdict: every hypothesis, what speaks for and against it, and which part it plays."""

from bot.blocks import ids
from bot.blocks.message import Block, context, divider, section
from bot.blocks.names import Names, headline_of
from bot.blocks.text import code, prose
from bot.blocks.views.modal import View, modal
from bot.blocks.words import SEPARATOR, day_and_clock, percent
from domain.report import RankedHypothesis, Report, Role

SHOWN = 30

PARTS: dict[Role, tuple[str, str]] = {
    Role.ROOT_CAUSE: (":dart:", "root cause"),
    Role.TRIGGER: (":zap:", "trigger"),
    Role.CONTRIBUTING: (":heavy_plus_sign:", "contributing"),
    Role.SYMPTOM: (":arrow_heading_up:", "symptom"),
    Role.MINORITY: (":grey_question:", "less likely"),
    Role.RULED_OUT: (":heavy_multiplication_x:", "ruled out"),
}
"""The sign and the word for each part."""

HOW = (
    "Confidence is computed: from how strong the evidence is, from where the resource stands in the failing path "
    "(a fault further down explains the one above it), from the order in time, and from a change shortly before."
)


def why_view(report: Report) -> View:
    """Return the hypotheses in their ranking."""
    names = Names.of(report)
    blocks: list[Block] = [section(f"*{prose(report.headline, 200)}*")]
    for hypothesis in report.hypotheses[:SHOWN]:
        blocks += [divider(), *_row(hypothesis, names)]
    if not report.hypotheses:
        blocks.append(section("No rule found a possible cause in what was seen."))
    if len(report.hypotheses) > SHOWN:
        blocks.append(context(f"+{len(report.hypotheses) - SHOWN} more of lower rank in the stored report"))
    blocks += [divider(), context(HOW)]
    return modal("Why this verdict", ids.WHY_VIEW, blocks, reference=ids.reference(report.investigation_id))


def _row(hypothesis: RankedHypothesis, names: Names) -> list[Block]:
    sign, part = PARTS[hypothesis.role]
    lines = [
        f"{sign} *{part}*, {percent(hypothesis.confidence)} — {prose(headline_of(hypothesis, names))}",
        prose(hypothesis.summary),
        *([f"it {prose(hypothesis.favoured)}"] if hypothesis.favoured else []),
        f"*for*{names.cite(hypothesis.evidence) or ' –'}   *against*{names.cite(hypothesis.contradicting) or ' –'}",
    ]
    small = [f"by {prose(hypothesis.specialist, 40)}" if hypothesis.specialist else ""]
    small.append(f"since {day_and_clock(hypothesis.since)} UTC" if hypothesis.since else "")
    small.append(_explained(hypothesis, names))
    small.append(code(hypothesis.cause, 60))
    return [section("\n".join(lines)), context(SEPARATOR.join(part for part in small if part))]


def _explained(hypothesis: RankedHypothesis, names: Names) -> str:
    cause, _, resource = (hypothesis.explained_by or "").partition("@")
    if not resource:
        return ""
    verb = "set off" if hypothesis.role is Role.TRIGGER else "explained by"
    return f"{verb} {code(cause, 60)} at {names.short(resource)}"
