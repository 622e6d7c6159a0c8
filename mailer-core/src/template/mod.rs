//! The default composer: templates in the language of Jinja, with merge fields.

mod check;
mod compiled;
mod composer;
mod scan;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use composer::TemplateComposer;

use crate::domain::Content;

/// What a mail says, with merge fields in `{{ }}`: a subject, and text, HTML or both.
///
/// Every recipient offers `email`, its merge fields, and `name`: the field of that name, or else the name that is shown
/// beside the address. A template is strict: it is submitted only to recipients that have all it uses. A field that some
/// may lack is marked where it is used: `{{ city|default("your town") }}`, or `{% if city is defined %}`.
///
/// Values are escaped in HTML, and nowhere else.
///
/// ```
/// use mailer_core::domain::Campaign;
/// use mailer_core::template::Template;
///
/// let template = Template::new("Spring is here, {{ name }}")
///     .text("Dear {{ name }}, come to {{ city|default(\"us\") }}.")
///     .html("<p>Dear {{ name }}, come to {{ city|default(\"us\") }}.</p>")
///     .header("List-Unsubscribe", "<https://shop.example/u/{{ email|urlencode }}>");
/// let campaign = Campaign::new("spring").from("news@shop.example").template(template);
/// assert!(campaign.check().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    html: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, String)>,
}

impl Template {
    /// The name by which letters call the composer of templates.
    pub const COMPOSER: &'static str = "template";

    /// A template with this subject. It needs a text, an HTML form, or both.
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            text: None,
            html: None,
            headers: Vec::new(),
        }
    }

    /// The mail as plain text.
    #[must_use]
    pub fn text(mut self, template: impl Into<String>) -> Self {
        self.text = Some(template.into());
        self
    }

    /// The mail as HTML.
    #[must_use]
    pub fn html(mut self, template: impl Into<String>) -> Self {
        self.html = Some(template.into());
        self
    }

    /// A further header, such as `List-Unsubscribe`. The headers that the mailer makes itself are refused.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, template: impl Into<String>) -> Self {
        self.headers.push((name.into(), template.into()));
        self
    }
}

/// As the parameters of a [`Letter`](crate::domain::Letter).
impl From<Template> for Value {
    fn from(template: Template) -> Self {
        let mut params = json!({ "subject": template.subject });
        if let Some(text) = template.text {
            params["text"] = Self::String(text);
        }
        if let Some(html) = template.html {
            params["html"] = Self::String(html);
        }
        if !template.headers.is_empty() {
            params["headers"] = json!(template.headers);
        }
        params
    }
}

impl From<Template> for Content {
    fn from(template: Template) -> Self {
        Self::new().template(template)
    }
}

#[cfg(test)]
mod tests;
