// Passkeys (WebAuthn) on the pages where staff sign in.
//
// A form with data-passkey="get" or "create" has a hidden field `credential`, a button data-passkey-start and a place
// for errors. The options come from the element #passkey-options, or from the address in data-passkey-options.

const toBytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));

const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const named = (credential) => ({ ...credential, id: toBytes(credential.id) });

async function optionsOf(form) {
  const address = form.dataset.passkeyOptions;
  if (!address) {
    const given = JSON.parse(document.getElementById("passkey-options").textContent);
    return (given.creation_options || given.request_options).publicKey;
  }
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    throw new Error(answer.status === 429 ? "Too many attempts. Try again in a minute." : "The server did not answer.");
  }
  return (await answer.json()).request_options.publicKey;
}

async function create(options, isAlone) {
  const publicKey = {
    ...options,
    challenge: toBytes(options.challenge),
    user: { ...options.user, id: toBytes(options.user.id) },
    excludeCredentials: (options.excludeCredentials || []).map(named),
    authenticatorSelection: {
      ...options.authenticatorSelection,
      residentKey: isAlone ? "required" : "discouraged",
      requireResidentKey: isAlone,
      userVerification: isAlone ? "required" : "preferred",
    },
  };
  const made = await navigator.credentials.create({ publicKey });
  return {
    ...plain(made),
    response: {
      clientDataJSON: toText(made.response.clientDataJSON),
      attestationObject: toText(made.response.attestationObject),
      transports: made.response.getTransports ? made.response.getTransports() : [],
    },
  };
}

async function get(options) {
  const publicKey = {
    ...options,
    challenge: toBytes(options.challenge),
    allowCredentials: (options.allowCredentials || []).map(named),
  };
  const shown = await navigator.credentials.get({ publicKey });
  const { clientDataJSON, authenticatorData, signature, userHandle } = shown.response;
  return {
    ...plain(shown),
    response: {
      clientDataJSON: toText(clientDataJSON),
      authenticatorData: toText(authenticatorData),
      signature: toText(signature),
      userHandle: userHandle ? toText(userHandle) : null,
    },
  };
}

const plain = (credential) => ({
  id: credential.id,
  rawId: toText(credential.rawId),
  type: credential.type,
  authenticatorAttachment: credential.authenticatorAttachment || undefined,
  clientExtensionResults: credential.getClientExtensionResults(),
});

const words = (error) =>
  error.name === "NotAllowedError"
    ? "That did not work: it was cancelled, took too long, or this device has no passkey of yours."
    : error.name === "InvalidStateError"
      ? "This device has a passkey of yours already."
      : error.name === "SecurityError"
        ? "Passkeys do not work at this address. Use the server's name (on your own machine: localhost)."
        : error.message;

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("[data-passkey-start]");
  const place = form.querySelector("[data-passkey-error]");
  if (!window.PublicKeyCredential) {
    place.textContent = "This browser has no passkeys.";
    place.hidden = false;
    continue;
  }
  button.hidden = false;
  button.addEventListener("click", async () => {
    place.hidden = true;
    button.disabled = true;
    try {
      const options = await optionsOf(form);
      const isAlone = Boolean(form.elements.passwordless?.checked);
      const credential = form.dataset.passkey === "create" ? await create(options, isAlone) : await get(options);
      form.elements.credential.value = JSON.stringify(credential);
      form.submit();
    } catch (error) {
      place.textContent = words(error);
      place.hidden = false;
      button.disabled = false;
    }
  });
}
