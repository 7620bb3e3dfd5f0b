"""files.*: the external upload in three steps (docs.slack.dev/reference/methods/files.getUploadURLExternal)."""

import mimetypes

from sandbox.slack.methods.contract import ApiError, Args, Method, channel_of
from sandbox.slack.payloads import bot_fields
from sandbox.slack.state import File, Json, World


def upload_url(world: World, args: Args) -> Json:
    """files.getUploadURLExternal."""
    (name,) = args.required("filename")
    size = args.number("length", 0)
    if size == 0:
        raise ApiError("invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: length"]})
    file = File(world.new_id("F"), name, size, args.text("alt_txt"))
    world.files[file.id] = file
    return {"upload_url": f"{world.base_url}/upload/v1/{file.id}", "file_id": file.id}


def complete(world: World, args: Args) -> Json:
    """files.completeUploadExternal: share what was uploaded, in one message for all files."""
    given = args.structure("files", "invalid_arguments") or []
    files = [world.files.get(entry.get("id", "")) for entry in given]
    uploaded = [file for file in files if file is not None and file.data is not None]
    if not given or len(uploaded) != len(given):
        raise ApiError("file_not_found")
    named = args.text("channels") or args.text("channel_id")
    rooms = [channel_of(world, Args({"channel": name})) for name in named.split(",") if name]
    thread = args.text("thread_ts") or None
    if thread and any(thread not in world.messages[room.id] for room in rooms):
        raise ApiError("thread_not_found")
    for file, entry in zip(uploaded, given, strict=True):
        file.title = entry.get("title") or file.name
        file.channels, file.thread_ts = tuple(room.id for room in rooms), thread
    shown = [described(world, file) for file in uploaded]
    for room in rooms:
        said: Json = {"text": args.text("initial_comment"), "files": shown, "upload": True, "subtype": "file_share"}
        world.post(room, {**bot_fields(world.workspace), **said, **({"thread_ts": thread} if thread else {})})
    world.touch()
    return {"files": shown}


def receive(world: World, name: str, data: bytes) -> str | None:
    """Take the bytes of an upload; return the answer, or None when there is no such upload or the size is wrong."""
    file = world.files.get(name)
    if file is None or len(data) != file.size:
        return None
    file.data = data
    world.touch()
    return f"OK - {len(data)}"


def described(world: World, file: File) -> Json:
    """Return Slack's file object."""
    place = f"https://files.slack.com/files-pri/{world.workspace.team}-{file.id}/{file.name}"
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "mimetype": mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        "filetype": file.name.rpartition(".")[2],
        "size": file.size,
        "user": world.workspace.app.bot_user,
        "url_private": place,
        "permalink": place,
        "alt_txt": file.alt_text,
    }


METHODS = {
    "files.getUploadURLExternal": Method(upload_url, "files:write", 4),
    "files.completeUploadExternal": Method(complete, "files:write", 4),
}
