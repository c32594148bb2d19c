//! `intstr_scaled`: a number or a percentage of a total.

use super::Answer;
use crate::api::{IntOrPercent, Rounding};
use serde::Deserialize;
use serde_json::Value as Json;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    value: Written,
    total: i32,
    round_up: bool,
    result: Option<i32>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(i32),
    Text(String),
}

pub(super) fn answers(json: &Json) -> Result<(Answer, Answer), serde_json::Error> {
    let line = Line::deserialize(json)?;
    let theirs = Answer::from_result(line.result.ok_or_else(|| line.error.unwrap_or_default()));
    let value = match &line.value {
        Written::Number(n) => Ok(IntOrPercent::Int(*n)),
        Written::Text(text) => IntOrPercent::parse_percent(text),
    };
    let rounding = if line.round_up { Rounding::Up } else { Rounding::Down };
    Ok((theirs, Answer::from_result(value.map(|v| v.scaled(line.total, rounding)))))
}
