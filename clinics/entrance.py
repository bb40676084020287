"""Where staff sign in with a browser: allauth's own views, with our templates, at /staff/….

The admin sends whoever is not signed in here, with `next` (clinics.admin.site). There is no page to sign up and none to
change an address: an operator makes accounts of staff, and everybody else has the API. allauth looks its pages up by
these names.
"""

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.http import HttpResponse
from django.urls import URLPattern, path
from django.views.generic import RedirectView

FORM = "clinics/staff/form.html"


class SetsUp:
    """A view whose success makes a second factor: whoever has just shown that they hold it need not show it again."""

    request: Any
    type: str

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]  # of the view that is beside it
        made = Authenticator.objects.filter(user=self.request.user, type=self.type).latest("created_at")
        post_authentication(self.request, made, reauthenticated=True)
        return response


class ActivateTotp(SetsUp, totp.ActivateTOTPView):  # type: ignore[misc]  # allauth ships no types
    type = Authenticator.Type.TOTP


class AddPasskey(SetsUp, webauthn.AddWebAuthnView):  # type: ignore[misc]
    type = Authenticator.Type.WEBAUTHN

    def get_initial(self) -> dict[str, Any]:
        return {**super().get_initial(), "passwordless": True}


def form(view: Any, *, heading: str, button: str, words: str = "", is_danger: bool = False) -> Any:
    """A view of allauth's on the page that every plain form has."""
    page = {"heading": heading, "button": button, "words": words, "is_danger": is_danger}
    return view.as_view(template_name=FORM, extra_context=page)


def plain(view: Any, *, heading: str, words: str) -> Any:
    """A view of allauth's that only says something."""
    return view.as_view(template_name="clinics/staff/plain.html", extra_context={"heading": heading, "words": words})


urlpatterns: list[URLPattern] = [
    path("sign-in", account.LoginView.as_view(template_name="clinics/staff/sign_in.html"), name="account_login"),
    path("sign-in/passkey", webauthn.LoginWebAuthnView.as_view(), name="mfa_login_webauthn"),
    path(
        "sign-in/second-step",
        mfa.AuthenticateView.as_view(template_name="clinics/staff/second_step.html"),
        name="mfa_authenticate",
    ),
    path(
        "sign-in/inactive",
        plain(account.AccountInactiveView, heading="This account is switched off", words="Ask your operator about it."),
        name="account_inactive",
    ),
    path(
        "sign-in/address",
        form(
            account.ConfirmEmailVerificationCodeView,
            heading="Confirm your e-mail address",
            button="Confirm",
            words="We sent you a code by e-mail.",
        ),
        name="account_email_verification_sent",
    ),
    path(
        "sign-out",
        form(account.LogoutView, heading="Sign out", button="Sign out"),
        name="account_logout",
    ),
    path(
        "password/forgotten",
        form(
            account.PasswordResetView,
            heading="Set a new password",
            button="Send me a code",
            words="We send a code to your e-mail address, if it has an account.",
        ),
        name="account_reset_password",
    ),
    path(
        "password/forgotten/code",
        form(
            account.ConfirmPasswordResetCodeView,
            heading="Type the code",
            button="Continue",
            words="We sent a code to your e-mail address, if it has an account.",
        ),
        name="account_confirm_password_reset_code",
    ),
    path(
        "password/forgotten/new",
        form(account.CompletePasswordResetView, heading="Set a new password", button="Set it"),
        name="account_complete_password_reset",
    ),
    path(
        "password/forgotten/done",
        plain(
            account.PasswordResetFromKeyDoneView,
            heading="You have a new password",
            words="You are signed out everywhere. Sign in with the new password.",
        ),
        name="account_password_reset_completed",
    ),
    path("security/address", RedirectView.as_view(pattern_name="mfa_index"), name="account_email"),
    path(
        "password",
        form(
            account.PasswordChangeView,
            heading="Change the password",
            button="Change it",
            words="This signs you out everywhere else.",
        ),
        name="account_change_password",
    ),
    path(
        "password/first",
        form(account.PasswordSetView, heading="Set a password", button="Set it"),
        name="account_set_password",
    ),
    path(
        "confirm/password",
        account.ReauthenticateView.as_view(
            template_name="clinics/staff/confirm.html",
            extra_context={"heading": "Is it you?", "words": "Type your password to go on.", "button": "Go on"},
        ),
        name="account_reauthenticate",
    ),
    path(
        "confirm/code",
        mfa.ReauthenticateView.as_view(
            template_name="clinics/staff/confirm.html",
            extra_context={
                "heading": "Your second step",
                "words": "Type a code of your authenticator app, or a recovery code.",
                "button": "Go on",
            },
        ),
        name="mfa_reauthenticate",
    ),
    path(
        "confirm/passkey",
        webauthn.ReauthenticateWebAuthnView.as_view(
            template_name="clinics/staff/confirm.html",
            extra_context={"heading": "Your second step", "words": "Use your passkey.", "is_passkey": True},
        ),
        name="mfa_reauthenticate_webauthn",
    ),
    path("security", mfa.IndexView.as_view(template_name="clinics/staff/security.html"), name="mfa_index"),
    path(
        "security/app",
        ActivateTotp.as_view(template_name="clinics/staff/totp.html"),
        name="mfa_activate_totp",
    ),
    path(
        "security/app/remove",
        form(
            totp.DeactivateTOTPView,
            heading="Remove the authenticator app",
            button="Remove it",
            words="Its codes no longer sign you in. Without another second step you are asked to set up a new one.",
            is_danger=True,
        ),
        name="mfa_deactivate_totp",
    ),
    path(
        "security/passkeys",
        webauthn.ListWebAuthnView.as_view(template_name="clinics/staff/passkeys.html"),
        name="mfa_list_webauthn",
    ),
    path(
        "security/passkeys/new",
        AddPasskey.as_view(template_name="clinics/staff/passkey.html"),
        name="mfa_add_webauthn",
    ),
    path(
        "security/passkeys/<int:pk>",
        form(webauthn.EditWebAuthnView, heading="Name of the passkey", button="Save"),
        name="mfa_edit_webauthn",
    ),
    path(
        "security/passkeys/<int:pk>/remove",
        form(webauthn.RemoveWebAuthnView, heading="Remove the passkey", button="Remove it", is_danger=True),
        name="mfa_remove_webauthn",
    ),
    path(
        "security/recovery-codes",
        recovery_codes.ViewRecoveryCodesView.as_view(template_name="clinics/staff/recovery_codes.html"),
        name="mfa_view_recovery_codes",
    ),
    path(
        "security/recovery-codes/file",
        recovery_codes.DownloadRecoveryCodesView.as_view(),
        name="mfa_download_recovery_codes",
    ),
    path(
        "security/recovery-codes/new",
        form(
            recovery_codes.GenerateRecoveryCodesView,
            heading="New recovery codes",
            button="Make new ones",
            words="The codes that you have now stop working.",
        ),
        name="mfa_generate_recovery_codes",
    ),
]
