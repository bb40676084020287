"""Our addresses, and a page with nothing but a call."""

import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path
from django.utils import timezone

from clinics import sessions
from config import urls
from virtualcare import access
from virtualcare.sockets import tickets

PAGE = """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>A call</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/static/clinics/sameday.css">
    <link rel="stylesheet" href="/static/virtualcare/call.css">
    <script type="module" src="{here}.js"></script>
  </head>
  <body data-csrf="{token}">
    <main>
      <h1>A call</h1>
      <button type="button" id="join" disabled>Join the call</button>
      <div id="here" class="call"></div>
    </main>
  </body>
</html>
"""
# What the tests look at is on `window`.
SCRIPT = """
import {{ Call }} from "/static/virtualcare/call.js";
import {{ Line }} from "/static/virtualcare/line.js";

window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {{
  constructor(configuration) {{
    super(configuration);
    window.connections.push(this);
  }}
}};
const line = (window.line = new Line({{
  address: async () => {{
    const answer = await fetch("{here}/address");
    if (!answer.ok) throw Object.assign(new Error("Sign in again."), {{ isFinal: true }});
    return (await answer.json()).url;
  }},
}}));
window.heard = [];
window.states = [];
line.addEventListener("frame", ({{ detail }}) => window.heard.push(detail));
line.open();
const call = (window.call = new Call({{ consult: "{consult}", line, element: document.querySelector("#here") }}));
call.addEventListener("state", () => window.states.push(call.state));
call.addEventListener("ended", ({{ detail }}) => (window.ended = detail));
document.querySelector("#join").addEventListener("click", () => call.start());

const reports = async () => (await call.stats()).flatMap((report) => [...report.values()]);
window.decoded = async () =>
  (await reports()).filter(({{ type, kind }}) => type === "inbound-rtp" && kind === "video")
    .reduce((sum, {{ framesDecoded }}) => sum + framesDecoded, 0);
// How this page's media go out: "host", "srflx" or "relay", of the pair that is used.
window.ways = async () => {{
  const all = await reports();
  const used = all.map(({{ selectedCandidatePairId }}) => selectedCandidatePairId).filter(Boolean);
  return all.filter(({{ id }}) => used.includes(id))
    .map(({{ localCandidateId }}) => all.find(({{ id }}) => id === localCandidateId).candidateType);
}};
// Both sides' names in ICE: others after each restart that was agreed on.
window.usernames = async () =>
  (await reports()).map(({{ iceLocalUsernameFragment }}) => iceLocalUsernameFragment).filter(Boolean);
window.situation = () => [call.state, window.states, window.heard.length, line.isOpen];
window.restart = () => window.connections.forEach((connection) => connection.restartIce());
document.querySelector("#join").disabled = false;
"""


def page(request: HttpRequest, consult_id: uuid.UUID) -> HttpResponse:
    return HttpResponse(PAGE.format(here=request.path, token=get_token(request)))


def script(request: HttpRequest, consult_id: uuid.UUID) -> HttpResponse:
    here = request.path.removesuffix(".js")
    return HttpResponse(SCRIPT.format(here=here, consult=consult_id), "text/javascript")


def address(request: HttpRequest, consult_id: uuid.UUID) -> HttpResponse:
    """Where its socket is, for whoever is signed in."""
    key = request.session.session_key
    found = sessions.signed_in(sessions.SessionStore, key) if key else None
    if found is None:
        return JsonResponse({}, status=401)
    access.taken_part(found.user, consult_id, now=timezone.now())
    return JsonResponse({"url": tickets.url_for(found.session, found.user, tickets.consult_path(consult_id))})


urlpatterns = [
    path("consults/<uuid:consult_id>/call", page),
    path("consults/<uuid:consult_id>/call.js", script),
    path("consults/<uuid:consult_id>/call/address", address),
    *urls.urlpatterns,
]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
