//! The ways the service says no: status, code and sentence.

use serde::Deserialize;

/// An error code of the service.
///
/// The first three are those of the page *Delete PhoneCallEvents*, with its sentences; the others
/// come from *HTTP Return Codes*, whose sentences are not known, save where a line says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// 400: no such extension, or `@self`.
    ExtensionInvalid,
    /// 400: no such event.
    PceIdInvalid,
    /// 400, not 403: the caller may not manage phone call events.
    PceAccessDenied,
    /// 400: the type in the path is no number (page *Update PhoneCallEvents*).
    PceTypeInvalid,
    /// 400: the type of a new event is missing or unknown; spelt like this on the page *Create
    /// PhoneCallEvents* alone.
    PcetTypeInvalid,
    /// 400: the method is unknown, or missing where an event is made.
    PceMethodInvalid,
    /// 400: the URL is empty, or missing where an event is made. The code is a guess.
    PceUrlInvalid,
    /// 400: the status is unknown. The code is a guess.
    PceStatusInvalid,
    /// 400: `count` is out of range.
    CountInvalid,
    /// 400: `startIndex` is out of range. The pages name no code for it; this one is a guess.
    StartindexInvalid,
    /// 400: `fields` names a field there is not.
    FieldsInvalid,
    /// 400: `filterBy` names a field that cannot be filtered by.
    FilterbyInvalid,
    /// 400: `filterOp` is unknown.
    FilteropInvalid,
    /// 400: `filterBy` came without a `filterValue`.
    FiltervalueInvalid,
    /// 400: `sortOrder` is no direction.
    SortorderInvalid,
    /// 400: no such user, or `@owner` together with `@self`.
    UserInvalid,
    /// 401: the token is missing or wrong.
    AccessDenied,
    /// 500: something broke.
    InternalServerError,
    /// 501: the service knows no such request.
    RequestNotImplemented,
}

impl Refusal {
    /// The HTTP status it comes with.
    pub fn status(self) -> u16 {
        match self {
            Self::ExtensionInvalid
            | Self::PceIdInvalid
            | Self::PceAccessDenied
            | Self::PceTypeInvalid
            | Self::PcetTypeInvalid
            | Self::PceMethodInvalid
            | Self::PceUrlInvalid
            | Self::PceStatusInvalid
            | Self::CountInvalid
            | Self::StartindexInvalid
            | Self::FieldsInvalid
            | Self::FilterbyInvalid
            | Self::FilteropInvalid
            | Self::FiltervalueInvalid
            | Self::SortorderInvalid
            | Self::UserInvalid => 400,
            Self::AccessDenied => 401,
            Self::InternalServerError => 500,
            Self::RequestNotImplemented => 501,
        }
    }

    /// The code as the service writes it.
    pub fn code(self) -> &'static str {
        match self {
            Self::ExtensionInvalid => "extension_invalid",
            Self::PceIdInvalid => "pce_id_invalid",
            Self::PceAccessDenied => "pce_access_denied",
            Self::PceTypeInvalid => "pce_type_invalid",
            Self::PcetTypeInvalid => "pcet_type_invalid",
            Self::PceMethodInvalid => "pce_method_invalid",
            Self::PceUrlInvalid => "pce_url_invalid",
            Self::PceStatusInvalid => "pce_status_invalid",
            Self::CountInvalid => "count_invalid",
            Self::StartindexInvalid => "startindex_invalid",
            Self::FieldsInvalid => "fields_invalid",
            Self::FilterbyInvalid => "filterby_invalid",
            Self::FilteropInvalid => "filterop_invalid",
            Self::FiltervalueInvalid => "filtervalue_invalid",
            Self::SortorderInvalid => "sortorder_invalid",
            Self::UserInvalid => "user_invalid",
            Self::AccessDenied => "access_denied",
            Self::InternalServerError => "internal_server_error",
            Self::RequestNotImplemented => "request_not_implemented",
        }
    }

    /// The sentence beside the code.
    pub fn message(self) -> &'static str {
        match self {
            Self::ExtensionInvalid => {
                "Value supplied in the URI-Fragment as extension is invalid. The parameter must \
                 reference the number of an existing extension or cannot be set to @self."
            }
            Self::PceIdInvalid => {
                "Value supplied in the URI-Fragment as eventId is invalid. The parameter must \
                 reference an existing phone call event."
            }
            Self::PceAccessDenied => "You are not allowed to manage the phone call events.",
            Self::PceTypeInvalid => {
                "Value supplied in the URI-Fragment as eventType is invalid. The parameter must \
                 be a number."
            }
            Self::PcetTypeInvalid => {
                "Value supplied as type is missing or invalid. Permitted values: 0 - Dial-In, \
                 1 - Dial-Out, 2 - Hangup."
            }
            Self::PceMethodInvalid => {
                "Value supplied as method is missing or invalid. Permitted values: 0 - GET, \
                 1 - POST."
            }
            Self::PceUrlInvalid => "Value supplied as url is missing or invalid.",
            Self::PceStatusInvalid => {
                "Value supplied as status is invalid. Permitted values: 0 - disabled, 1 - enabled."
            }
            Self::CountInvalid => {
                "Value supplied in the query as count is invalid. The parameter must be between \
                 1 and 4999."
            }
            Self::StartindexInvalid => {
                "Value supplied in the query as startIndex is invalid. The parameter must be \
                 between 0 and 4999."
            }
            Self::FieldsInvalid => "Value supplied in the query as fields is invalid.",
            Self::FilterbyInvalid => "Value supplied in the query as filterBy is invalid.",
            Self::FilteropInvalid => "Value supplied in the query as filterOp is invalid.",
            Self::FiltervalueInvalid => "Value supplied in the query as filterValue is missing.",
            Self::SortorderInvalid => "Value supplied in the query as sortOrder is invalid.",
            Self::UserInvalid => "Value supplied in the URI-Fragment as userId is invalid.",
            Self::AccessDenied => "The access token is missing or not valid.",
            Self::InternalServerError => "Internal server error.",
            Self::RequestNotImplemented => "The request is not implemented.",
        }
    }
}
