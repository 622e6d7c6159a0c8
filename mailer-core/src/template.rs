//! The default composer: templates.
