//! Sending money: to whom, how much, a note.

use axum::{extract::Query, response::Response};
use ledger_core::{fee::Service, money::Money};
use serde::{Deserialize, Serialize};

use super::{ConfirmView, Filled, Notice, Tab, after, form, made, scan, to_send};
use crate::{
    entry::throttle,
    fees::{self, Price},
    http::{Problem, problem::sentence, session::see_other},
    links::{LinkError, OurLink, PAY_PAGE},
    pages::{
        FormErrors, Nav, Visitor,
        act::{self, Presses},
        draft::{self, Draft},
        pay, respond,
        ui::{Cell, ConfirmSheet, Face, MoneyView, Pair, Pairs, money_text},
        visitor::Sent,
    },
    people::{PublicFace, Rate, Recipient},
    qr::Meaning,
    transfers::{self, RecipientIn, SendIn},
    wallet::{self, Balances},
};

/// Where the sheet is.
const SHEET: &str = "/app/move/send/check";
/// What the form says when the same is meant once more.
const AGAIN: &str = "yes";

/// The form; on the sheet with a nonce.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SendForm {
    to: String,
    amount: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    nonce: String,
    #[serde(default)]
    again: String,
    /// The version of the fee that the sheet showed.
    #[serde(default)]
    fee_version: String,
}

impl SendForm {
    fn filled(self) -> Filled {
        Filled { to: self.to, amount: self.amount, note: self.note, ..Filled::default() }
    }
}

/// What a code of ours says beside whom to pay fills what was left empty.
fn fill(typed: &mut SendForm, said: OurLink) {
    typed.to = match said.to {
        Recipient::Handle(handle) => format!("@{handle}"),
        Recipient::Id(id) => id.to_string(),
        Recipient::Phone(phone) => phone.expose().to_owned(),
    };
    if let Some(amount) = said.amount.filter(|_| typed.amount.trim().is_empty()) {
        typed.amount = amount.amount().to_string();
    }
    if let Some(note) = said.note.filter(|_| typed.note.is_empty()) {
        typed.note = note;
    }
}

/// Where a text leads that somebody scanned or pasted: to the page where shops are paid, or
/// nowhere else, with what it says of a person filled in. `page` is the address of that page.
fn led(page: &str, typed: &mut SendForm) -> Result<Option<String>, LinkError> {
    match Meaning::of(&typed.to, page)? {
        Meaning::Shop { link, .. } => Ok(Some(paying(&link))),
        Meaning::Request(id) => Ok(Some(format!("{PAY_PAGE}?request={id}"))),
        Meaning::Person(said) => {
            fill(typed, said);
            Ok(None)
        }
        Meaning::Elsewhere => Err(LinkError::OfABank),
    }
}

fn paying(link: &str) -> String {
    let link: String = form_urlencoded::byte_serialize(link.as_bytes()).collect();
    format!("{PAY_PAGE}?link={link}")
}

/// Who it is that somebody typed; nobody for a number that nobody has proved.
struct To {
    face: Option<PublicFace>,
}

/// What was typed, as a recipient: `@asha`, `9876543210`.
fn recipient(text: &str) -> Result<Recipient, FormErrors> {
    let text = text.trim();
    if text.is_empty() {
        return Err(FormErrors::one("to", "Say whom to send to: a handle or a phone number."));
    }
    if let Ok(id) = text.parse() {
        return Ok(Recipient::Id(id));
    }
    let is_number = text.starts_with(|letter: char| letter == '+' || letter.is_ascii_digit());
    let parsed = if is_number {
        text.parse().map(Recipient::Phone)
    } else {
        text.parse().map(Recipient::Handle)
    };
    parsed.map_err(|error| FormErrors::one("to", sentence(&error.to_string())))
}

/// Leads to the sheet, or to where a code says that a shop is paid.
pub(super) async fn check(sent: Sent<SendForm>) -> Result<Response, Problem> {
    let Sent { visitor, form: mut typed } = sent;
    match led(&pay::page_of(&visitor), &mut typed) {
        Ok(Some(place)) => return Ok(see_other(&place)),
        // Words that are no link are a name, be it a wrong one.
        Err(LinkError::NotALink) if !typed.to.contains("pay?") => {}
        Ok(None) => {}
        Err(error) => {
            let errors = FormErrors::one("to", sentence(&error.to_string()));
            return form(&visitor, Tab::Send, typed.filled(), errors).await;
        }
    }
    typed.again.clear();
    checked(&visitor, typed).await
}

/// To the sheet, or to the form with what is wrong with it.
async fn checked(visitor: &Visitor, typed: SendForm) -> Result<Response, Problem> {
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    match understood(visitor, &balances, &typed).await? {
        Ok(money) => to_sheet(visitor, typed, money),
        Err(errors) => form(visitor, Tab::Send, typed.filled(), errors).await,
    }
}

fn to_sheet(visitor: &Visitor, typed: SendForm, money: Money) -> Result<Response, Problem> {
    let (to, amount) = (typed.to.trim().to_owned(), money.amount().to_string());
    let typed = SendForm { to, amount, nonce: visitor.nonce(), ..typed };
    draft::to_sheet(visitor, SHEET, &typed)
}

/// Shows what is about to happen, with the name of who gets it. Who comes without a draft finds
/// the form.
pub(super) async fn sheet(
    visitor: Visitor,
    Query(draft): Query<Draft>,
) -> Result<Response, Problem> {
    let Some(typed) = draft.open::<SendForm>(&visitor, SHEET) else { return Ok(to_send().await) };
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    let (to, money) =
        match (whose(&visitor, &typed.to).await?, act::amount(&typed.amount, &balances)) {
            (Ok(to), Ok(money)) => (to, money),
            (Err(errors), _) | (_, Err(errors)) => {
                return form(&visitor, Tab::Send, typed.filled(), errors).await;
            }
        };
    let price = fees::price_as_of_log(&visitor.state, Service::Transfer, money).await?;
    Ok(respond::page(&confirm(&visitor, &balances, (&to, price), &typed)))
}

/// Goes on from what a code says: to where shops are paid; to the sheet, if it says how much; to
/// the form with the name of who was found, if not.
pub(super) async fn scanned(
    visitor: &Visitor,
    text: String,
) -> Result<Result<Response, FormErrors>, Problem> {
    let mut typed = SendForm { to: text, ..SendForm::default() };
    match led(&pay::page_of(visitor), &mut typed) {
        Ok(Some(place)) => return Ok(Ok(see_other(&place))),
        Ok(None) => {}
        Err(error) => {
            let text = sentence(&error.to_string());
            return Ok(Err(FormErrors::one(scan::FIELD, text)));
        }
    }
    let to = match found(visitor, &typed.to).await? {
        Ok(to) => to,
        Err(errors) => {
            let errors = errors.iter().map(|error| error.text.clone()).collect::<Vec<_>>();
            return Ok(Err(FormErrors::one(scan::FIELD, errors.join(" "))));
        }
    };
    if !typed.amount.is_empty() {
        return checked(visitor, typed).await.map(Ok);
    }
    let found = to.face.map(|face| (face.name.expose().to_owned(), format!("@{}", face.handle)));
    let filled = Filled { found, ..typed.filled() };
    form(visitor, Tab::Send, filled, FormErrors::none()).await.map(Ok)
}

/// Who is meant, if it is somebody whom money can go to.
async fn found(visitor: &Visitor, named: &str) -> Result<Result<To, FormErrors>, Problem> {
    if let Err(errors) = recipient(named) {
        return Ok(Err(errors));
    }
    // Names are looked up one at a time and not by the thousand.
    throttle(&visitor.state, Rate::LOOKUP, visitor.who.person.id.uuid().as_bytes()).await?;
    whose(visitor, named).await
}

/// The same, of a name that was looked up before.
async fn whose(visitor: &Visitor, named: &str) -> Result<Result<To, FormErrors>, Problem> {
    let recipient = match recipient(named) {
        Ok(recipient) => recipient,
        Err(errors) => return Ok(Err(errors)),
    };
    let person = visitor.who.person.id;
    let face = visitor.state.people.find(&recipient).await?;
    if face.as_ref().is_some_and(|face| face.id == person) {
        return Ok(Err(FormErrors::one("to", "That is you. Choose somebody else.")));
    }
    if face.is_none() && !matches!(recipient, Recipient::Phone(_)) {
        let text = format!(
            "We couldn’t find {}. Check the handle, or use their phone number.",
            named.trim()
        );
        return Ok(Err(FormErrors::one("to", text)));
    }
    Ok(Ok(To { face }))
}

async fn understood(
    visitor: &Visitor,
    balances: &Balances,
    typed: &SendForm,
) -> Result<Result<Money, FormErrors>, Problem> {
    if let Err(errors) = recipient(&typed.to) {
        return Ok(Err(errors));
    }
    let money = match act::amount(&typed.amount, balances) {
        Ok(money) => money,
        Err(errors) => return Ok(Err(errors)),
    };
    if typed.note.chars().count() > 200 {
        return Ok(Err(FormErrors::one("note", "At most 200 characters.")));
    }
    if let Err(errors) = found(visitor, &typed.to).await? {
        return Ok(Err(errors));
    }
    if money.amount() > balances.available.amount() {
        let problem = crate::http::codes::find("insufficient_funds");
        let problem = problem.map(|code| Problem::new(code, "Not enough available."));
        if let Some(problem) = problem {
            return act::refused(problem, balances).map(Err);
        }
    }
    Ok(Ok(money))
}

fn confirm(
    visitor: &Visitor,
    balances: &Balances,
    (to, price): (&To, Price),
    typed: &SendForm,
) -> ConfirmView {
    let again = typed.again == AGAIN;
    let fields = fields(to, price, typed, again);
    let (price, money) = (price.quote, price.quote.amount);
    let is_free = price.fee.is_zero();
    let fee = if is_free { "Free".into() } else { Cell::Money(MoneyView::plain(price.fee)) };
    let fee = Pair::new("Fee", fee);
    let arrives = if to.face.is_some() { "At once" } else { "When they prove the number" };
    let mut pairs = vec![fee, Pair::new("Arrives", arrives)];
    if !typed.note.is_empty() {
        pairs.push(Pair::new("Note", typed.note.clone()));
    }
    if let Some(after) = after(balances, price.total, false) {
        pairs.push(Pair::new("You will have", after).total());
    }
    let (face, headline, verified) = match &to.face {
        Some(face) => (
            Face::of(face.name.expose()),
            format!("To {}", face.name.expose()),
            format!("@{}", face.handle),
        ),
        None => (Face::icon("lock"), format!("To {}", typed.to.trim()), String::new()),
    };
    ConfirmView {
        layout: visitor.layout("Send", Nav::Move),
        title: "Check and send",
        sheet: ConfirmSheet {
            face,
            headline,
            verified,
            amount: MoneyView::plain(money).hero(),
            pairs: Pairs::new(pairs),
        },
        action: "/app/move/send".to_owned(),
        fields,
        nonce: typed.nonce.clone(),
        button: format!("Send {}", money_text(&money)),
        back: "/app/move?tab=send".to_owned(),
        notice: notice(to, again),
    }
}

/// The recipient goes on as the person that the name was shown of: a handle may change hands.
fn fields(to: &To, price: Price, typed: &SendForm, again: bool) -> Vec<(&'static str, String)> {
    let to = to.face.as_ref().map_or_else(|| typed.to.clone(), |face| face.id.to_string());
    let mut fields = vec![
        ("to", to),
        ("amount", price.quote.amount.amount().to_string()),
        ("note", typed.note.clone()),
        ("fee_version", price.version.to_string()),
    ];
    if again {
        fields.push(("again", AGAIN.to_owned()));
    }
    fields
}

fn notice(to: &To, again: bool) -> Option<Notice> {
    if again {
        return Some(Notice {
            tone: "waiting",
            title: "This looks like the payment you just made".to_owned(),
            text: "The same amount went to them less than a minute before. Send it again only if \
                   it is another one; Activity shows the first.",
        });
    }
    to.face.is_none().then_some(Notice {
        tone: "info",
        title: "They aren’t here yet".to_owned(),
        text: "We hold the money for 7 days. Whoever proves this number gets it; after that it \
               comes back to you. You can take it back at any time before.",
    })
}

/// Sends it, once for the sheet.
pub(super) async fn send(sent: Sent<SendForm>) -> Result<Response, Problem> {
    let Sent { visitor, form: typed } = sent;
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    let (recipient, money) = match (recipient(&typed.to), act::amount(&typed.amount, &balances)) {
        (Ok(recipient), Ok(money)) => (recipient, money),
        (Err(errors), _) | (_, Err(errors)) => {
            return form(&visitor, Tab::Send, typed.filled(), errors).await;
        }
    };
    let value = money.amount().to_string();
    // What the sheet was shown for, and not what was made of it since: a fee that has changed, or
    // a number that is somebody's by now, is the same sheet, and is refused if it was sent before.
    let fields = [&value, &typed.note, &typed.again].map(String::as_str);
    let body = order(&recipient, &value, &balances, &typed)?;
    let mut presses = Presses::of("send", &typed.nonce, &fields);
    let problem = loop {
        match transfers::send(&visitor.writer()?, presses.key()?, &body).await {
            Ok(sent) => return Ok(made(&visitor, &sent.transfer.id)),
            Err(problem) if presses.go_on(&problem) => {}
            Err(problem) => break problem,
        }
    };
    if problem.code() == "duplicate_suspected" {
        let typed = SendForm { again: AGAIN.to_owned(), ..typed };
        return to_sheet(&visitor, typed, money);
    }
    let errors = act::refused(problem, &balances)?;
    let to = as_typed(&visitor, &recipient, &typed.to).await?;
    form(&visitor, Tab::Send, SendForm { to, ..typed }.filled(), errors).await
}

/// Whom a sheet was of, as somebody would type it.
async fn as_typed(visitor: &Visitor, to: &Recipient, text: &str) -> Result<String, Problem> {
    let face = match to {
        Recipient::Id(_) => visitor.state.people.find(to).await?,
        Recipient::Handle(_) | Recipient::Phone(_) => None,
    };
    Ok(face.map_or_else(|| text.to_owned(), |face| format!("@{}", face.handle)))
}

/// The request that a program would have sent.
fn order(
    recipient: &Recipient,
    value: &str,
    balances: &Balances,
    typed: &SendForm,
) -> Result<SendIn, Problem> {
    let mut to = RecipientIn::default();
    match recipient {
        Recipient::Handle(handle) => to.handle = Some(handle.to_string()),
        Recipient::Phone(phone) => to.phone = Some(phone.expose().to_owned()),
        Recipient::Id(id) => to.id = Some(id.to_string()),
    }
    let currency = balances.currency.code.to_string();
    let amount = serde_json::json!({"value": value, "currency": currency});
    Ok(SendIn {
        account: None,
        to,
        amount: serde_json::from_value(amount).map_err(|error| Problem::internal(&error))?,
        note: (!typed.note.is_empty()).then(|| typed.note.clone()),
        fee_version: typed.fee_version.parse().ok(),
        confirm_duplicate: typed.again == AGAIN,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_and_numbers_are_recipients() {
        for text in ["@asha", "asha", " Asha "] {
            assert!(matches!(recipient(text), Ok(Recipient::Handle(h)) if h.as_str() == "asha"));
        }
        for text in ["9876543210", "+919876543210"] {
            assert!(matches!(recipient(text), Ok(Recipient::Phone(_))), "{text}");
        }
        for bad in ["", "  ", "12", "<script>", "upi://pay?pa=x@y"] {
            assert!(!recipient(bad).unwrap_err().of("to").is_empty(), "{bad}");
        }
    }

    #[test]
    fn a_scanned_code_fills_what_was_left_empty_and_nothing_else() {
        let typed = |to: &str, amount: &str| {
            let (to, amount) = (to.to_owned(), amount.to_owned());
            let [note, nonce, again, fee_version] = [const { String::new() }; 4];
            let mut form = SendForm { to, amount, note, nonce, again, fee_version };
            led(PAY_PAGE, &mut form).map(|led| (led, form.to, form.amount, form.note))
        };
        let code = "bahi:pay?to=@ravi&am=120.00&tn=Tea";
        let all = |amount: &str| (None, "@ravi".to_owned(), amount.to_owned(), "Tea".to_owned());
        assert_eq!(typed(code, "").unwrap(), all("120.00"));
        assert_eq!(typed(code, "5").unwrap(), all("5"));
        assert_eq!(typed("@ravi", "5").unwrap().1, "@ravi");
        let shop = typed("upi://pay?pa=chai@bahi", "5").unwrap().0;
        assert_eq!(shop.as_deref(), Some("/app/pay?link=upi%3A%2F%2Fpay%3Fpa%3Dchai%40bahi"));
        for (bad, error) in [
            ("upi://pay?pa=shop@hdfc", LinkError::OfABank),
            ("bahi:pay?am=5", LinkError::Payee),
            ("evil:pay?to=@x", LinkError::NotALink),
        ] {
            assert_eq!(typed(bad, "").unwrap_err(), error, "{bad}");
        }
    }
}
