//! `/ops/limits`: what each tier allows, every version that it had as what it changed, and
//! proposing the next one; and likewise what shops pay ([`fees`]) and what withdrawals and
//! transfers cost ([`service_fees`]).

use axum::response::Response;
use ledger_core::{
    book::Book,
    money::{Currency, Money},
    tier::{FlowLimits, Tier, TierLimits},
};
use rust_decimal::Decimal;

use super::{ActForm, Board, Field, OpsSent, OpsVisitor, Part, after, fees, service_fees};
use crate::{
    desk::{
        carrying_out::{self, TierChange},
        proposals::{Kind, NewProposal},
        versions::{self, Version},
    },
    http::{Problem, codes},
    pages::{
        FormErrors, act, respond,
        ui::{Cell, Column, Pair, money_text},
    },
};

const PATH: &str = "/ops/limits";
/// What is said of a change that is none.
pub(super) const NOTHING_NEW: &str = "That is what is in force: change something first.";

/// A limit: its name in forms, its words, and where it stands.
type Named = (&'static str, &'static str, fn(&TierLimits) -> Option<Decimal>);

const LIMITS: [Named; 9] = [
    ("balance", "Balance", |limits| limits.balance),
    ("in_transaction", "In, one", |limits| limits.incoming.per_transaction),
    ("in_day", "In, a day", |limits| limits.incoming.per_day),
    ("in_month", "In, a month", |limits| limits.incoming.per_month),
    ("in_year", "In, a year", |limits| limits.incoming.per_year),
    ("out_transaction", "Out, one", |limits| limits.outgoing.per_transaction),
    ("out_day", "Out, a day", |limits| limits.outgoing.per_day),
    ("out_month", "Out, a month", |limits| limits.outgoing.per_month),
    ("out_year", "Out, a year", |limits| limits.outgoing.per_year),
];

pub(super) async fn page(visitor: OpsVisitor) -> Result<Response, Problem> {
    Ok(respond::page(&board(&visitor, &FormErrors::none()).await?))
}

pub(super) async fn board(visitor: &OpsVisitor, errors: &FormErrors) -> Result<Board, Problem> {
    let lead = "A change holds from its event on, and changes nothing that was decided before. \
                It takes two persons.";
    let mut board = Board::new(visitor, "Limits and fees", "limits").lead(lead).errors(errors);
    let tiers: Vec<Tier> =
        visitor.state.ledger.status().borrow().book.tiers().all().cloned().collect();
    for tier in &tiers {
        board = board.part(in_force(tier));
    }
    let board = service_fees::parts(visitor, board.part(history(visitor).await?)).await?;
    let board = fees::parts(visitor, board).await?;
    Ok(board.part(rules(visitor)))
}

/// What people look at, as the service was started with.
fn rules(visitor: &OpsVisitor) -> Part {
    let told = visitor.state.operators.review.told();
    let pairs = told.into_iter().map(|(words, bound)| Pair::new(words, bound)).collect();
    let text = "Set where the service is started (BAHI_REVIEW_…), and the same for everybody.";
    Part::new("What people look at").text(text).pairs(pairs)
}

fn said(limit: Option<Decimal>) -> String {
    limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string())
}

fn in_force(tier: &Tier) -> Part {
    let title = format!("{}, {}, version {}", tier.tier, tier.currency, tier.version);
    let mut form = ActForm::new(PATH, "Propose these limits")
        .hidden("tier", tier.tier.to_string())
        .hidden("currency", tier.currency.to_string())
        .hidden("expected_version", tier.version.to_string());
    for (name, words, of) in LIMITS {
        let value = of(&tier.limits).map(|limit| limit.to_string()).unwrap_or_default();
        form = form.field(Field::line(name, words, 20).value(value).optional());
    }
    Part::new(title).text("An empty field is no limit.").form(form.field(Field::reason()))
}

async fn history(visitor: &OpsVisitor) -> Result<Part, Problem> {
    let versions = versions::tiers(&visitor.state.reads).await?;
    let rows = versions.iter().map(|version| {
        let says = &version.says;
        let before = versions.iter().find(|one| {
            one.says.tier == says.tier && one.says.version.checked_add(1) == Some(says.version)
        });
        vec![
            says.tier.to_string().into(),
            says.version.to_string().into(),
            changes(version, before).into(),
            visitor.who_was(version.by.as_deref()),
            visitor.who_was(version.approver.as_deref()),
            version.reason.clone().unwrap_or_default().into(),
            Cell::When(visitor.when(version.at)),
            format!("#{}", version.position).into(),
        ]
    });
    let columns = [
        Column::words("Tier"),
        Column::numbers("Version"),
        Column::words("What changed"),
        Column::words("By"),
        Column::words("Agreed"),
        Column::words("Why"),
        Column::words("When"),
        Column::words("Event"),
    ];
    Ok(Part::new("History").table(&columns, rows.collect(), "No tier was defined yet."))
}

/// Each limit by its words, as it was and as it would be, for people.
pub(super) fn compared(
    currency: Currency,
    was: &TierLimits,
    to_be: &TierLimits,
) -> Vec<(String, String, String)> {
    let shown = |limit: Option<Decimal>| {
        let money = limit.and_then(|limit| Money::from_decimal(limit, currency).ok());
        money.map_or_else(|| said(limit), |money| money_text(&money))
    };
    let row = |(_, words, of): Named| (words.to_owned(), shown(of(was)), shown(of(to_be)));
    LIMITS.into_iter().map(row).collect()
}

/// What a version has otherwise than the one before it.
fn changes(version: &Version<Tier>, before: Option<&Version<Tier>>) -> String {
    let differ = LIMITS.into_iter().filter_map(|(_, words, of)| {
        let now = of(&version.says.limits);
        match before {
            None => now.map(|now| format!("{words}: {now}")),
            Some(before) => {
                let was = of(&before.says.limits);
                (was != now).then(|| format!("{words}: {} → {}", said(was), said(now)))
            }
        }
    });
    let all: Vec<String> = differ.collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join("; ") }
}

/// Proposes other limits of a tier.
pub(super) async fn propose(
    OpsSent { visitor, form }: OpsSent<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let done = make(&visitor, &form).await;
    after(done, "/ops/approvals", async |errors| board(&visitor, &errors).await).await
}

async fn make(visitor: &OpsVisitor, form: &[(String, String)]) -> Result<(), Problem> {
    let of = |name: &str| {
        let field = form.iter().find(|(field, _)| field == name);
        field.map_or("", |(_, value)| value.trim())
    };
    let book = visitor.state.ledger.status().borrow().book.clone();
    let change = read(&book, &of)?;
    let now = book.tiers().get(&change.tier).filter(|tier| tier.currency == change.currency);
    if now.is_some_and(|now| now.limits == change.limits) {
        return Err(Problem::field(codes::INVALID, "/balance", NOTHING_NEW));
    }
    let body = serde_json::to_value(&change).map_err(|error| Problem::internal(&error))?;
    let text = body.to_string();
    let subject = change.tier.to_string();
    let key = act::key("ops_tier", of("nonce"), &[&text, of("reason")])?;
    let new = NewProposal {
        kind: Kind::DefineTier,
        subject: &subject,
        body,
        reason: of("reason"),
        evidence_sha256: None,
        file: None,
        key: &key.0,
    };
    carrying_out::propose(&visitor.writer()?, &new).await.map(drop)
}

fn read<'a>(book: &Book, of: &impl Fn(&str) -> &'a str) -> Result<TierChange, Problem> {
    let wrong =
        |name: &str, detail: String| Problem::field(codes::INVALID, format!("/{name}"), detail);
    let nothing = || wrong("tier", "There is no such tier.".to_owned());
    let code = of("currency").parse().map_err(|_| nothing())?;
    let currency = book.currency(code).ok_or_else(nothing)?;
    let limit = |name: &str| -> Result<Option<Decimal>, Problem> {
        let typed = act::amount_typed(of(name));
        if typed.is_empty() {
            return Ok(None);
        }
        let amount = Money::parse(&typed, currency).ok().map(|money| money.amount());
        let words = LIMITS.into_iter().find(|(field, ..)| *field == name);
        let words = words.map_or("", |(_, words, _)| words);
        let detail = || format!("{words}: an amount such as 200000, or nothing.");
        amount.map(Some).ok_or_else(|| wrong(name, detail()))
    };
    let flow = |way: &str| -> Result<FlowLimits, Problem> {
        Ok(FlowLimits {
            per_transaction: limit(&format!("{way}_transaction"))?,
            per_day: limit(&format!("{way}_day"))?,
            per_month: limit(&format!("{way}_month"))?,
            per_year: limit(&format!("{way}_year"))?,
        })
    };
    Ok(TierChange {
        tier: of("tier").parse().map_err(|_| nothing())?,
        currency: code,
        limits: TierLimits {
            balance: limit("balance")?,
            incoming: flow("in")?,
            outgoing: flow("out")?,
        },
        expected_version: of("expected_version").parse().ok(),
    })
}
