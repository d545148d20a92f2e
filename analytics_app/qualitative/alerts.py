"""Tell the owner of a run that it failed: by mail here, and on their pages (`runs.unseen_failures`)."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics_app.models import Analysis

log = logging.getLogger(__name__)


def alert_owner(analysis: Analysis) -> bool:
    """Write to the owner, if they have an address; whether it was sent. Mail that cannot be sent fails no run.

    The mail says which run and why, and holds no words of the texts.
    """
    owner = analysis.corpus.owner
    if owner is None or not owner.email:
        return False
    address = settings.PUBLIC_URL + reverse("research_analysis", args=[analysis.pk])
    message = EmailMessage(
        subject=_("Your analysis failed: %(name)s") % {"name": " ".join(analysis.corpus.name.split())},
        body=_(
            "The analysis “%(name)s” stopped.\n\nReason: %(reason)s\n\nWhat was done before is kept. Open it and choose"
            " “Go on” to continue at the step that failed:\n%(address)s\n"
        )
        % {"name": analysis.corpus.name, "reason": analysis.failure, "address": address},
        to=[owner.email],
    )
    try:
        message.send()
    except (SMTPException, OSError) as error:
        log.warning("the owner of %s could not be written to: %s", analysis.request_id, type(error).__name__)
        return False
    return True
