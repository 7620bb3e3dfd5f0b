"""Who am I, who is that, and reactions."""

import re

from sandbox.slack.methods.contract import ApiError, Args, Method, message_of
from sandbox.slack.state import Json, World
from sandbox.slack.workspace import SLACKBOT


def api_test(_world: World, args: Args) -> Json:
    """api.test: echoes, and fails on request."""
    if args.text("error"):
        raise ApiError(args.text("error"), args=dict(args.values))
    return {"args": dict(args.values)}


def auth_test(world: World, _args: Args) -> Json:
    """auth.test."""
    home, app = world.workspace, world.workspace.app
    return {
        "url": f"https://{home.domain}.slack.com/",
        "team": home.domain.title(),
        "user": app.name.lower(),
        "team_id": home.team,
        "user_id": app.bot_user,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
    }


def users_info(world: World, args: Args) -> Json:
    """users.info."""
    (name,) = args.required("user")
    user = world.workspace.users.get(name)
    if user is None:
        raise ApiError("user_not_found")
    stranger = user.team != world.workspace.team
    profile = {"real_name": user.real_name, "display_name": user.name, "team": user.team}
    described: Json = {
        "id": user.id,
        "team_id": user.team,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": False,
        "tz": "Etc/UTC",
        "tz_offset": 0,
        "profile": profile,
        "is_bot": user.is_bot and user.id != SLACKBOT,
        "is_admin": False,
        "is_owner": False,
        "is_restricted": user.restricted,
        "is_ultra_restricted": False,
    }
    return {"user": described | ({"is_stranger": True} if stranger else {})}


def react(world: World, args: Args) -> Json:
    """reactions.add."""
    given = _reactions(world, args)
    if args.text("name") in given:
        raise ApiError("already_reacted")
    given.add(args.text("name"))
    world.touch()
    return {}


def unreact(world: World, args: Args) -> Json:
    """reactions.remove."""
    given = _reactions(world, args)
    if args.text("name") not in given:
        raise ApiError("no_reaction")
    given.discard(args.text("name"))
    world.touch()
    return {}


def _reactions(world: World, args: Args) -> set[str]:
    (name,) = args.required("name")
    if not re.fullmatch(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?", name):
        raise ApiError("invalid_name")
    message = message_of(world, args, "timestamp")
    return world.reactions[message.channel, message.ts]


METHODS = {
    "api.test": Method(api_test, None, 4, "none"),
    "auth.test": Method(auth_test, None, 0),
    "users.info": Method(users_info, "users:read", 4),
    "reactions.add": Method(react, "reactions:write", 3),
    "reactions.remove": Method(unreact, "reactions:write", 2),
}
