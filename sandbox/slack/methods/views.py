"""views.*: modals and App Homes (docs.slack.dev/reference/methods/views.open and its neighbours)."""

import secrets
from typing import Any

from bot.blocks.limits import Surface, violations
from sandbox.slack.methods.contract import ApiError, Args, Method, refuse
from sandbox.slack.state import Json, Trigger, Version, View, World

DEEPEST = 3
"""How many modals may lie on each other."""


def opened(world: World, args: Args) -> Json:
    """views.open."""
    said = _given(args, Surface.MODAL)
    trigger = _trigger(world, args)
    clear(world, trigger.user)
    return {"view": stack(world, trigger.user, said).body}


def pushed(world: World, args: Args) -> Json:
    """views.push: onto the modal in which the trigger was granted."""
    said = _given(args, Surface.MODAL)
    trigger = _trigger(world, args)
    if trigger.view is None or not trigger.view.open:
        raise ApiError("not_found")
    return {"view": stack(world, trigger.user, said).body}


def updated(world: World, args: Args) -> Json:
    """views.update: by view_id or external_id; a stale hash is refused."""
    wanted, external = args.text("view_id"), args.text("external_id")
    if not wanted and not external:
        args.required("view_id")
    fit = (v for v in world.views.values() if v.open and (v.id == wanted or external == v.body["external_id"] != ""))
    view = next(fit, None)
    if view is None:
        raise ApiError("not_found")
    said = _given(args, Surface(view.body["type"]))
    if args.text("hash", view.body["hash"]) != view.body["hash"]:
        raise ApiError("hash_conflict")
    replace(world, view, said)
    return {"view": view.body}


def published(world: World, args: Args) -> Json:
    """views.publish: the App Home of one user."""
    (user,) = args.required("user_id")
    said = _given(args, Surface.HOME)
    if user not in world.workspace.users:
        raise ApiError("user_not_found")
    home = world.homes.get(user)
    if home is None:
        home = world.homes[user] = _new(world, user, said)
        world.touch()
    else:
        replace(world, home, said)
    return {"view": home.body}


def stack(world: World, user: str, said: Json) -> View:
    """Show a modal on top of those the user has open; raises push_limit_reached."""
    pile = world.stacks[user]
    if len(pile) >= DEEPEST:
        raise ApiError("push_limit_reached")
    view = _new(world, user, said)
    root = pile[0].id if pile else view.id
    view.body |= {"root_view_id": root, "previous_view_id": pile[-1].id if pile else None}
    pile.append(view)
    world.touch()
    return view


def replace(world: World, view: View, said: Json) -> None:
    """Show something else in a view; what was filled in stays where the ids stay."""
    kept = {name: view.body[name] for name in ("id", "root_view_id", "previous_view_id")}
    view.body = {**_body(world, view.id, said), **kept}
    view.versions.append(Version(world.clock(), view.body))
    view.errors = {}
    world.touch()


def clear(world: World, user: str) -> None:
    """Close every modal of the user."""
    while world.stacks[user]:
        pop(world, user)


def pop(world: World, user: str) -> None:
    """Close the topmost modal of the user."""
    world.stacks[user].pop().open = False
    world.touch()


def _given(args: Args, surface: Surface) -> Json:
    args.required("view")
    view: Any = args.structure("view", "invalid_arguments")
    if not isinstance(view, dict):
        raise ApiError("invalid_arguments", response_metadata={"messages": ["[ERROR] must be an object"]})
    refuse(violations(view, surface))
    return view


def _trigger(world: World, args: Args) -> Trigger:
    (name,) = args.required("trigger_id")
    trigger = world.triggers.get(name)
    if trigger is None:
        raise ApiError("invalid_trigger_id")
    if trigger.used:
        raise ApiError("exchanged_trigger_id")
    if world.clock() > trigger.expires:
        raise ApiError("expired_trigger_id")
    trigger.used = True
    return trigger


def _new(world: World, user: str, said: Json) -> View:
    name = world.new_id("V")
    body = _body(world, name, said)
    view = world.views[name] = View(name, user, body, [Version(world.clock(), body)])
    return view


def _body(world: World, name: str, said: Json) -> Json:
    first = {"callback_id": "", "private_metadata": "", "external_id": "", "submit": None, "close": None}
    switches = {"clear_on_close": False, "notify_on_close": False}
    app = world.workspace.app
    return {
        **first,
        **switches,
        **said,
        "id": name,
        "team_id": world.workspace.team,
        "app_id": app.id,
        "bot_id": app.bot_id,
        "app_installed_team_id": world.workspace.team,
        "blocks": world.identified(said["blocks"]),
        "hash": f"{int(world.clock())}.{secrets.token_hex(4)}",
        "root_view_id": name,
        "previous_view_id": None,
    }


METHODS = {
    "views.open": Method(opened, None, 4),
    "views.push": Method(pushed, None, 4),
    "views.update": Method(updated, None, 4),
    "views.publish": Method(published, None, 4),
}
