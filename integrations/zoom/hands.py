"""Which hands carry what out on Zoom, and which buttons a worker presses instead."""

from app.core import actions as a
from app.core.facts import Hands

PERSON = ("person",)
API_FIRST = ("api", "person")
PANEL_FIRST = ("panel", "person")

_BY_API = (a.EndMeeting, a.ChangeLink, a.StopRecording, a.StopLiveStream)


def routes(action: a.Action, hands: Hands) -> tuple[str, ...]:
    """The hands to try in order. What is not known yet is tried; what is known to be
    missing is not. Ending is always tried: it is the last thing that can go wrong."""
    if isinstance(action, _BY_API):
        return API_FIRST
    if isinstance(action, a.RemoveParticipant):
        possible = hands.remove_one is not False and bool(action.uuid)
        return API_FIRST if possible else PERSON
    if isinstance(action, a.TellWaitingRoom):
        return PERSON if hands.waiting_text is False else API_FIRST
    if isinstance(action, a.PostGroundRules):
        return API_FIRST if hands.room_chat else PERSON
    if isinstance(action, a.HoldParticipant):
        return PANEL_FIRST if hands.hold_one else PERSON
    if isinstance(action, a.AdmitParticipant):
        return PANEL_FIRST if hands.admit_one else PERSON
    return PERSON


PRESSES: dict[str, str] = {
    "reclaim_host": (
        "Open Participants. At the bottom of the list press “Reclaim host”; if it is not"
        " there, press the three dots, then “Claim host”, and enter the host key."
    ),
    "close_breakout": (
        "Open Breakout rooms. Press “Join” next to the room to go in, or “Close all"
        " rooms” to bring everyone back."
    ),
    "confirm_identity": (
        "Open Participants and find the person. In the waiting room list press the three"
        " dots, then “Message”; or call them on a number you know. Do not admit anybody"
        " before you know who it is; then tell Chaperone."
    ),
    "who_are_you": (
        "Ask the person by name and camera, or call them on a number you know. In the"
        " meantime: Participants, their name, “More”, “Put in waiting room”."
    ),
    "accept_lead": (
        "Press “Take the lead” in Chaperone. In Zoom open Participants and press “Reclaim"
        " host” if you are not the host."
    ),
    "check_room": (
        "Open Participants and compare the list with the one in Chaperone. Open Breakout"
        " rooms and look into each room."
    ),
    "identify_phone": (
        "Open Participants and find the caller by the number. Ask who is speaking, or ask"
        " them to press # and their Participant ID #."
    ),
    "rename": "Open Participants, point at the name, press “More”, then “Rename”.",
    "switch_waiting_room_on": (
        "Press “Host tools” (the shield) and tick “Enable waiting room”."
    ),
    "end_meeting": "Press “End”, then “End meeting for all”.",
    "admit": "Open Participants. Under “Waiting room” press “Admit” next to the name.",
    "i_am_in": "Join the meeting, then press “I am in” in Chaperone next to your name.",
    "remove": (
        "Open Participants, point at the name, press “More”, then “Remove”, and confirm"
        " with “Remove”."
    ),
    "hold": (
        "Open Participants, point at the name, press “More”, then “Put in waiting room”."
    ),
    "post_rules": (
        "Open Chat, choose “Everyone” under “To”, paste the ground rules and send; or"
        " read them out."
    ),
    "private_message": (
        "Open Participants, point at the name, press “More”, then “Chat”, paste the words"
        " and send. If private chat is off, ask the person into a breakout room with two"
        " workers."
    ),
    "stop_recording": "Press “More”, then “Stop recording”, and confirm.",
    "stop_live_stream": "Press “More”, then “Stop live stream”.",
    "tell_waiting_room": (
        "Open Participants. Under “Waiting room” press “Message” and send the words to"
        " everyone who waits."
    ),
    "change_link": (
        "In Zoom's web portal open the meeting, “Registration”, “Manage attendees”,"
        " choose the person and press “Cancel registration” or “Approve”."
    ),
}
OTHERWISE = "Open Participants in Zoom and look at the list."


def press_hint(press: str) -> str:
    """Where exactly to press, in the words of Zoom's own client."""
    return PRESSES.get(press, OTHERWISE)
