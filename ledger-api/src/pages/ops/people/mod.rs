//! `/ops/people`: finding a person or a shop, which takes a reason and is written down; freezing,
//! closing, and ending somebody's ways in. What they proved themselves with is never shown.

mod acts;
mod shop;

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use ledger_core::{account::FreezeMode, ids::AccountId};
use serde::Deserialize;

use super::{ActForm, Board, Field, OpsSent, OpsVisitor, Part, after, overview::proposals};
use crate::{
    access_log::NAME_OPENED,
    auditing,
    desk::{acts::Act, caught_up},
    http::{ApiState, Problem, codes, path::Id, reader::known_account},
    pages::{
        FormErrors,
        ops::approvals,
        respond,
        ui::{Cell, Column, Pair},
    },
    people::{Person, PersonId, Recipient},
    shops::MerchantId,
};

const PATH: &str = "/ops/people";

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route(PATH, get(page).post(find))
        .route("/ops/people/{id}", get(one))
        .route("/ops/people/{id}/freeze", post(acts::freeze))
        .route("/ops/people/{id}/unfreeze", post(acts::unfreeze))
        .route("/ops/people/{id}/close", post(acts::close))
        .route("/ops/people/{id}/agree", post(shop::agree))
        .route("/ops/people/{id}/reset", post(acts::reset))
}

/// Whom a page is about.
#[derive(Debug, Clone, Copy)]
enum Subject {
    Person(PersonId),
    Shop(MerchantId),
}

impl Subject {
    fn parse(text: &str) -> Result<Self, Problem> {
        let person = text.parse().map(Self::Person).ok();
        let shop = || text.parse().map(Self::Shop).ok();
        person.or_else(shop).ok_or_else(nobody)
    }

    fn id(self) -> String {
        match self {
            Self::Person(id) => id.to_string(),
            Self::Shop(id) => id.to_string(),
        }
    }

    /// What they can spend: a wallet, or what is available to a shop.
    fn account(self) -> Result<AccountId, Problem> {
        let account = match self {
            Self::Person(id) => id.wallet(),
            Self::Shop(id) => id.available(),
        };
        account.map_err(|error| Problem::internal(&error))
    }

    fn path(self) -> String {
        format!("{PATH}/{}", self.id())
    }
}

fn nobody() -> Problem {
    Problem::not_found("There is nobody of this id.")
}

async fn page(visitor: OpsVisitor) -> Result<Response, Problem> {
    Ok(respond::page(&search(&visitor, &FormErrors::none())))
}

fn search(visitor: &OpsVisitor, errors: &FormErrors) -> Board {
    let form = ActForm::new(PATH, "Find")
        .field(
            Field::search("who", "Handle, phone, e-mail or id")
                .hint("Whole, as they gave it. A shop by its handle or id."),
        )
        .field(Field::reason());
    let lead = "Whom you look at, and why, is written down where auditors read it.";
    let part = Part::new("Find somebody").form(form);
    Board::new(visitor, "People and shops", "people").lead(lead).errors(errors).part(part)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Find {
    #[serde(rename = "nonce")]
    _nonce: String,
    who: String,
    reason: String,
}

async fn find(OpsSent { visitor, form }: OpsSent<Find>) -> Result<Response, Problem> {
    match look_up(&visitor, &form).await {
        Ok(subject) => {
            let board = board(&visitor, subject, true, &FormErrors::none()).await?;
            Ok(respond::page(&board))
        }
        Err(problem) => after(Err(problem), PATH, async |e| Ok(search(&visitor, &e))).await,
    }
}

/// Finds them and writes down that they were looked at.
async fn look_up(visitor: &OpsVisitor, form: &Find) -> Result<Subject, Problem> {
    let reason = auditing::reason(&form.reason)?;
    let (state, who) = (&visitor.state, form.who.trim());
    let unknown = || Problem::field(codes::INVALID, "/who", "There is nobody of this name.");
    let subject = match Subject::parse(who) {
        Ok(subject) => subject,
        Err(_) => match state.people.credential(who.trim_start_matches('@')).await? {
            Some(found) => Subject::Person(found.id),
            None => by_number_or_shop(visitor, who).await?.ok_or_else(unknown)?,
        },
    };
    let (what, id) = (NAME_OPENED, subject.id());
    Act::new(what, &id, &reason).keep(&visitor.writer()?).await?;
    Ok(subject)
}

async fn by_number_or_shop(visitor: &OpsVisitor, who: &str) -> Result<Option<Subject>, Problem> {
    let state = &visitor.state;
    if let Ok(recipient) = who.parse::<Recipient>()
        && let Some(face) = state.people.find(&recipient).await?
    {
        return Ok(Some(Subject::Person(face.id)));
    }
    let Ok(handle) = who.trim_start_matches('@').parse() else { return Ok(None) };
    let shop = state.shops.by_handle(&handle).await?;
    Ok(shop.map(|shop| Subject::Shop(shop.id)))
}

async fn one(visitor: OpsVisitor, Id(id): Id<String>) -> Result<Response, Problem> {
    let subject = Subject::parse(&id)?;
    Ok(respond::page(&board(&visitor, subject, false, &FormErrors::none()).await?))
}

/// The page; with names only for who has just said why they look.
async fn board(
    visitor: &OpsVisitor,
    subject: Subject,
    with_names: bool,
    errors: &FormErrors,
) -> Result<Board, Problem> {
    // As the last act left it.
    caught_up(&visitor.state).await?;
    let title = match subject {
        Subject::Person(_) => "Person",
        Subject::Shop(_) => "Shop",
    };
    let board = Board::new(visitor, title, "people").back(PATH, "Find somebody").errors(errors);
    let mut pairs = vec![Pair::new("Id", subject.id())];
    match subject {
        Subject::Person(id) => {
            let person = visitor.state.people.by_id(id).await?.ok_or_else(nobody)?;
            pairs.extend(of_person(visitor, &person, with_names));
        }
        Subject::Shop(id) => {
            let shop = visitor.state.shops.by_id(id).await?.ok_or_else(nobody)?;
            if with_names {
                pairs.push(Pair::new("Name", shop.display_name.expose().to_owned()));
            }
        }
    }
    let mut board = board.part(Part::new("Who").pairs(pairs));
    let now = visitor.now();
    let account = subject.account()?;
    for about in [subject.id(), account.to_string()] {
        for proposal in proposals(visitor).waiting(&about, now).await? {
            board = board.part(approvals::part(visitor, &proposal));
        }
    }
    board = board.part(money(visitor, subject, &account).await?);
    match subject {
        Subject::Person(_) => Ok(board.part(endings(subject))),
        Subject::Shop(id) => shop::parts(visitor, subject, id, board).await,
    }
}

fn of_person(visitor: &OpsVisitor, person: &Person, with_names: bool) -> Vec<Pair> {
    let mut pairs = vec![
        Pair::new("Status", person.status.as_str()),
        Pair::new("Signed up", visitor.when(person.created_at)),
        Pair::new("Verified", if person.is_verified() { "all three" } else { "not all yet" }),
    ];
    if with_names {
        pairs.push(Pair::new("Name", person.name.expose().to_owned()));
        pairs.push(Pair::new("Handle", format!("@{}", person.handle)));
        pairs.push(Pair::new("E-mail", person.email.expose().to_owned()));
        pairs.extend(person.phone.as_ref().map(|phone| Pair::new("Phone", phone.masked())));
    }
    pairs
}

async fn money(visitor: &OpsVisitor, subject: Subject, id: &AccountId) -> Result<Part, Problem> {
    let part = Part::new("Account");
    let Some(account) = known_account(&visitor.state, id).await? else {
        return Ok(part.text("It is not in the books yet."));
    };
    let balance = &account.balance;
    let currency = account.currency.code;
    let available: Cell = match balance.available {
        Some(available) => visitor.money(available, currency)?.into(),
        None => "no bound".into(),
    };
    let pairs = vec![
        Pair::new("Account", id.to_string()),
        Pair::new("Available", available),
        Pair::new(
            "Closed",
            account.closed_at.map_or_else(|| Cell::from("no"), |at| visitor.when(at).into()),
        ),
    ];
    let rows = account.freezes.iter().map(|freeze| {
        let mode = mode_words(freeze.mode);
        vec![freeze.reference.to_string().into(), mode.into()]
    });
    let columns = [Column::words("Frozen under"), Column::words("What it stops")];
    let nothing = "It is under no freeze.";
    let mut part = part.pairs(pairs).table(&columns, rows.collect(), nothing);
    let hint = "Of the order behind it; without spaces.";
    part = part.form(
        ActForm::new(format!("{}/freeze", subject.path()), "Freeze")
            .title("Freeze it at once")
            .field(Field::choice("mode", "What it stops", modes()))
            .field(Field::line("reference", "Reference", 64).hint(hint))
            .field(Field::reason()),
    );
    let references: Vec<(String, String)> = account
        .freezes
        .iter()
        .map(|freeze| (freeze.reference.to_string(), freeze.reference.to_string()))
        .collect();
    if references.is_empty() {
        return Ok(part);
    }
    let lift = ActForm::new(format!("{}/unfreeze", subject.path()), "Propose to lift it").quiet();
    let lift = lift.title("Lifting a freeze takes two");
    Ok(part
        .form(lift.field(Field::choice("reference", "Which", references)).field(Field::reason())))
}

fn modes() -> Vec<(String, String)> {
    [FreezeMode::Debit, FreezeMode::Both, FreezeMode::Credit]
        .map(|mode| (mode_name(mode).to_owned(), mode_words(mode).to_owned()))
        .to_vec()
}

const fn mode_name(mode: FreezeMode) -> &'static str {
    match mode {
        FreezeMode::Debit => "debit",
        FreezeMode::Credit => "credit",
        FreezeMode::Both => "both",
        FreezeMode::Lien => "lien",
    }
}

const fn mode_words(mode: FreezeMode) -> &'static str {
    match mode {
        FreezeMode::Debit => "money out",
        FreezeMode::Credit => "money in",
        FreezeMode::Both => "money in and out",
        FreezeMode::Lien => "an amount stays",
    }
}

fn endings(subject: Subject) -> Part {
    let reset = ActForm::new(format!("{}/reset", subject.path()), "Propose a reset")
        .title("End their sessions, password and linked logins, and send them a link; takes two")
        .quiet()
        .field(Field::reason());
    let close = ActForm::new(format!("{}/close", subject.path()), "Close it")
        .title("Close the account: only empty, and with nothing on its way")
        .quiet()
        .field(Field::reason());
    Part::new("Ways in, and the end").form(reset).form(close)
}

async fn answer(
    visitor: &OpsVisitor,
    subject: Subject,
    done: Result<(), Problem>,
) -> Result<Response, Problem> {
    let again = async |errors| board(visitor, subject, false, &errors).await;
    after(done, &subject.path(), again).await
}
