"""What the channel is told of events that could not go their way. Pure."""

from bot.blocks.message import Message, message, section
from bot.blocks.text import code, prose
from orchestrator.rejections import Rejected

EXCERPT = 200


def rejected_note(rejected: Rejected) -> Message:
    """Say what a message was, where it is now, and what to do."""
    if rejected.dead_letters:
        where = (
            f"It is in the dead-letter queue {code(rejected.dead_letters)} from now on. If it should have started an "
            "investigation, mend what sent it and send it again from there (_Start DLQ redrive_); if not, delete it "
            "there, and narrow the rule that sends such messages."
        )
    else:
        where = (
            f"The queue has no dead-letter queue: the message is kept as {code(rejected.id, 80)} in the table "
            "`rejected` of the bot's store, and deleted from the queue. Give the queue a redrive policy, and narrow "
            "the rule that sends such messages."
        )
    said = f"A message of the events' queue cannot be used: {prose(rejected.why, 200)}."
    lines = (f":warning: *{said}*", f"It begins with {code(rejected.excerpt, EXCERPT) or 'nothing'}.", where)
    return message(said, [section("\n".join(lines))])


def elsewhere_note(channel: str) -> Message:
    """Say that an event's channel is closed to us, and that it comes here in its place."""
    said = f"I cannot write in <#{channel}>, so its events come here"
    how = "Invite me there with `/invite @rca`, or change its row in `RCA_ROUTES`."
    return message(f"I cannot write in {channel}, so its events come here.", [section(f":warning: *{said}.* {how}")])
