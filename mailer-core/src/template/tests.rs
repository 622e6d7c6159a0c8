use std::sync::Arc;

use super::*;
use crate::composer::{ComposeError, Composed, Composer};
use crate::domain::{Draft, Letter, Recipient, Record};

fn letter(template: Template) -> Letter {
    Content::new()
        .from("shop@shop.example")
        .template(template)
        .check()
        .unwrap()
}

fn ann() -> Record {
    Recipient::new("ann@example.com")
        .name("Ann <&> Bo")
        .field("city", "Bern")
        .check()
        .unwrap()
}

async fn compose(template: Template, record: &Record) -> Composed {
    let made = TemplateComposer::new()
        .compose(&letter(template), &[record])
        .await
        .unwrap();
    made.into_iter().next().unwrap()
}

async fn draft(template: Template, record: &Record) -> Draft {
    match compose(template, record).await {
        Composed::Mail(draft) => draft,
        other => panic!("{other:?}"),
    }
}

fn required(template: Template) -> Vec<String> {
    let fields = TemplateComposer::new().required_fields(&letter(template));
    fields.unwrap().into_iter().collect()
}

fn faults(template: Template) -> Vec<String> {
    let faults = TemplateComposer::new().required_fields(&letter(template));
    faults
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_template_survives_the_store() {
    let template = Template::new("s")
        .text("t")
        .html("h")
        .header("X-A", "1")
        .header("X-A", "2");
    let params = letter(template.clone()).params;
    assert_eq!(
        serde_json::from_value::<Template>(params).unwrap(),
        template
    );
}

#[tokio::test]
async fn values_are_escaped_in_html_alone() {
    let said = "{{ name }} of {{ city }}, {{ email }}";
    let template = Template::new(said)
        .text(said)
        .html(said)
        .header("X-Who", said);
    let draft = draft(template, &ann()).await;
    let plain = "Ann <&> Bo of Bern, ann@example.com";
    assert_eq!(draft.subject, plain);
    assert_eq!(draft.headers, [("X-Who".to_owned(), plain.to_owned())]);
    assert_eq!(draft.body.text.as_deref(), Some(plain));
    assert_eq!(
        draft.body.html.as_deref(),
        Some("Ann &lt;&amp;&gt; Bo of Bern, ann@example.com")
    );
}

#[test]
fn all_fields_of_all_parts_are_required_but_those_marked_as_perhaps_missing() {
    let template = Template::new("{{ a }} {{ email }} {{ name }}")
        .text("{% for i in range(2) %}{{ b }}{{ i }}{% endfor %}{% if false %}{{ hidden }}{% endif %}")
        .html("{{ c|default('x') }}{% if d is defined %}{{ d }}{% endif %}{{ e|default('x') }}{{ e }}")
        .header("X-F", "{{ f|upper }}");
    assert_eq!(required(template), ["a", "b", "e", "f", "hidden", "name"]);
}

#[tokio::test]
async fn the_field_called_name_goes_before_the_shown_name() {
    let template = || Template::new("{{ name|default('you') }}").text("x");
    let both = Recipient::new("a@b.example")
        .name("Shown")
        .field("name", "Field");
    for (recipient, subject) in [
        (both, "Field"),
        (Recipient::new("a@b.example").name("Shown"), "Shown"),
        (Recipient::new("a@b.example"), "you"),
    ] {
        let record = recipient.check().unwrap();
        assert_eq!(draft(template(), &record).await.subject, subject);
    }
    assert!(required(template()).is_empty());
}

#[test]
fn faults_name_part_line_and_rule() {
    let template = |text: &str| Template::new("s").text(text);
    for (template, expected) in [
        (template("a\nb {{ name"), "text, line 2: syntax error"),
        (
            template("a\n{% if false %}{{ x|shout }}{% endif %}"),
            "text, line 2: unknown filter: shout",
        ),
        (
            template("{{ x is strange }}"),
            "text, line 1: unknown test: strange",
        ),
        (template("{{ city.zip }}"), "text, line 1: undefined value"),
        (
            Template::new("{{").text("x"),
            "subject, line 1: syntax error",
        ),
        (
            template("x").header("X-A", "{% a %}"),
            "header X-A, line 1: syntax error",
        ),
        (Template::new(" ").text("x"), "a mail needs a subject"),
        (
            Template::new("s"),
            "a mail needs a text, an HTML form, or both",
        ),
        (
            template("x").header("subject", "x"),
            "this header is made by the mailer itself",
        ),
        (
            template("x").header("CONTENT-Type", "x"),
            "this header is made by the mailer itself",
        ),
        (
            Template::new("s\nBcc: {{ city }}").text("x"),
            "no line break and no NUL",
        ),
        (
            template("x").header("X-A", "1\r\n2"),
            "header X-A \"1\\r\\n2\": no line break",
        ),
        (template("x").header("X:Y", "x"), "a header's name is"),
        (template("x").header("Ü", "x"), "a header's name is"),
        (template("x").header("", "x"), "a header's name is"),
    ] {
        let faults = faults(template);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains(expected), "{faults:?}: {expected}");
    }
}

#[test]
fn all_faults_are_named_at_once() {
    assert_eq!(faults(Template::new("").header("To", "x")).len(), 3);
    let broken = Template::new("{{").text("{%").html("{{ }}");
    assert_eq!(faults(broken).len(), 3);
}

#[tokio::test]
async fn what_would_forge_a_header_fails_for_that_recipient() {
    let mut record = ann();
    record
        .fields
        .insert("city".to_owned(), "a\r\nBcc: b@c.example".to_owned());
    for template in [
        Template::new("{{ city }}").text("x"),
        Template::new("s").text("x").header("X-A", "{{ city }}"),
    ] {
        let Composed::Failed(why) = compose(template, &record).await else {
            panic!("a line break passed");
        };
        assert!(why.contains("no line break and no NUL"), "{why}");
    }
    let Composed::Failed(why) = compose(Template::new("{{ missing }}").text("x"), &record).await
    else {
        panic!("a missing field passed");
    };
    assert!(why.contains("subject, line 1: undefined value"), "{why}");
}

#[tokio::test]
async fn a_body_without_merge_fields_is_made_once() {
    let composer = TemplateComposer::new();
    let bodies = async |template: Template| {
        let (letter, ann) = (letter(template), ann());
        let mut bodies = Vec::new();
        for _ in 0..2 {
            for made in composer.compose(&letter, &[&ann, &ann]).await.unwrap() {
                let Composed::Mail(draft) = made else {
                    panic!("{made:?}");
                };
                bodies.push(draft.body);
            }
        }
        bodies
    };
    let fixed = bodies(
        Template::new("{{ name }}")
            .text("same")
            .html("<p>{{ 1 + 1 }}"),
    )
    .await;
    assert!(fixed.iter().all(|body| Arc::ptr_eq(body, &fixed[0])));
    assert_eq!(fixed[0].html.as_deref(), Some("<p>2"));
    let merged = bodies(Template::new("s").text("{{ name }}").html("same")).await;
    assert!(!Arc::ptr_eq(&merged[0], &merged[1]));
}

#[tokio::test]
async fn a_letter_that_is_no_template_halts() {
    let mut letter = letter(Template::new("s").text("t"));
    letter.params = json!({ "subject": "s", "body": "t" });
    let made = TemplateComposer::new().compose(&letter, &[]).await;
    assert!(matches!(made, Err(ComposeError::Halt(why)) if why.contains("unknown field")));
    assert!(TemplateComposer::new().required_fields(&letter).is_err());
}

#[tokio::test]
async fn many_single_letters_do_not_pile_up() {
    let composer = TemplateComposer::new();
    for i in 0..200 {
        let letter = letter(Template::new(format!("s{i}")).text("t"));
        composer.compose(&letter, &[&ann()]).await.unwrap();
    }
    let first = letter(Template::new("s0").text("t"));
    assert_eq!(composer.compose(&first, &[&ann()]).await.unwrap().len(), 1);
}
