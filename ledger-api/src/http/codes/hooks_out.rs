//! The codes of webhooks out.

use super::{Code, Retry};

codes! {
    WEBHOOK_URL_REFUSED = "webhook_url_refused" 422 Never "Not a URL that can be called"
        "Webhooks are sent by HTTPS to public addresses, on port 443 or one from 1024 on, without \
         a user name, a password or a fragment. `detail` says what is wrong with this one.";
    EVENT_TYPE_UNKNOWN = "event_type_unknown" 422 Never "No such event type"
        "`event_types` names a type that there is not; `detail` has all of them.";
    WEBHOOK_ENDPOINT_DISABLED = "webhook_endpoint_disabled" 409 Never "The endpoint is disabled"
        "Nothing is sent to a disabled endpoint. Enable it first: `PATCH` with `status: enabled`.";
    PRECONDITION_FAILED = "precondition_failed" 412 Never "Somebody else changed it meanwhile"
        "`If-Match` names another version than there is now. Read it again, and decide afresh.";
    WEBHOOK_SECRETS_TOO_MANY = "webhook_secrets_too_many" 409 Never "Too many secrets are in force"
        "The secret was changed several times within a day, and each of those before is still \
         signed with. Wait until the first of them has ended.";
}
