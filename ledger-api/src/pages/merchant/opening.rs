//! `/merchant/new`, `/merchant/shops`, `/merchant/join`: opening a shop, choosing among one's own,
//! answering an invitation.
//!
//! A shop is opened, and an invitation answered, by somebody who proved their address: a shop that
//! was opened with somebody else's address would be theirs to lose.

use askama::Template;
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;

use crate::{
    entry::{self, Kind, both, throttle, wrong_name},
    http::{
        ApiState, Problem, codes,
        peer::ClientAddress,
        session::{SignedForm, SignedIn, see_other},
        shop_session::{ShopForm, ShopSignedIn},
    },
    pages::{
        FormErrors, Layout, Nav, PageContext,
        coming::viewer,
        people::{errors_of, shown_again},
        respond,
    },
    people::{Handle, Name, Rate},
    shops::{CategoryCode, MemberError, MerchantId, NewMerchant},
};

const HOME: &str = "/merchant";
const NEW: &str = "/merchant/new";

/// What kinds of shop are offered: the code of ISO 18245 and its word.
pub(super) const CATEGORIES: [(&str, &str); 10] = [
    ("5411", "Groceries"),
    ("5814", "Tea, snacks and fast food"),
    ("5812", "Restaurant"),
    ("5912", "Pharmacy"),
    ("5942", "Books"),
    ("5651", "Clothes"),
    ("5732", "Electronics"),
    ("7230", "Salon"),
    ("4121", "Taxi and auto"),
    ("5999", "Another shop"),
];

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route(NEW, get(new_page).post(open))
        .route("/merchant/verify/send", post(send_code))
        .route("/merchant/verify", post(confirm_code))
        .route("/merchant/shops", get(shops_page).post(choose))
        .route("/merchant/join", get(new_page).post(join))
}

/// A shop that asks whoever looks at the page.
struct Asks {
    merchant: String,
    name: String,
    role: &'static str,
}

#[derive(Template)]
#[template(path = "merchant/new.html")]
struct NewView {
    layout: Layout,
    errors: FormErrors,
    email: String,
    is_proved: bool,
    asks: Vec<Asks>,
    form: OpenShop,
    categories: [(&'static str, &'static str); 10],
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenShop {
    legal_name: String,
    display_name: String,
    handle: String,
    category: String,
}

async fn view(
    (state, who): (&ApiState, &SignedIn),
    context: &PageContext,
    errors: FormErrors,
    form: OpenShop,
) -> Result<NewView, Problem> {
    let invitations = state.shops.invitations(&who.person.email, state.sessions.now()).await?;
    let ids: Vec<MerchantId> = invitations.iter().map(|one| one.merchant).collect();
    let faces = state.shops.faces(&ids).await?;
    let asks = invitations.iter().filter_map(|one| {
        let face = faces.get(&one.merchant)?;
        Some(Asks {
            merchant: one.merchant.to_string(),
            name: face.name.expose().to_owned(),
            role: one.role.as_str(),
        })
    });
    Ok(NewView {
        layout: context.layout("Your shop", Nav::None, Some(viewer(state, who))),
        errors,
        email: who.person.email.expose().to_owned(),
        is_proved: who.person.email_verified_at.is_some(),
        asks: asks.collect(),
        form,
        categories: CATEGORIES,
    })
}

async fn new_page(
    State(state): State<ApiState>,
    context: PageContext,
    ShopSignedIn(who): ShopSignedIn,
) -> Result<Response, Problem> {
    let view = view((&state, &who), &context, FormErrors::none(), OpenShop::default()).await?;
    Ok(respond::page(&view))
}

async fn open(
    State(state): State<ApiState>,
    context: PageContext,
    client: ClientAddress,
    ShopForm(SignedForm { who, form }): ShopForm<OpenShop>,
) -> Result<Response, Problem> {
    match open_shop(&state, &who, client, &form).await {
        Ok(()) => Ok(see_other(HOME)),
        Err(problem) => {
            let status = problem.status();
            let fields = ["legal_name", "display_name", "handle", "category"];
            let errors = errors_of(problem, &fields)?;
            Ok(shown_again(status, &view((&state, &who), &context, errors, form).await?))
        }
    }
}

/// Makes a shop with its accounts, and goes on in its name.
async fn open_shop(
    state: &ApiState,
    who: &SignedIn,
    client: ClientAddress,
    form: &OpenShop,
) -> Result<(), Problem> {
    if who.person.email_verified_at.is_none() {
        let detail = "Confirm your e-mail address first.";
        return Err(Problem::new(codes::FORBIDDEN, detail));
    }
    throttle(state, Rate::SIGN_UP, &client.counted()).await?;
    let named = |text: &str, field| text.parse::<Name>().map_err(|error| wrong_name(field, error));
    let legal_name = named(&form.legal_name, "/legal_name");
    let display_name = named(&form.display_name, "/display_name");
    let handle = form.handle.parse::<Handle>().map_err(|error| wrong_name("/handle", error));
    let category = form.category.parse::<CategoryCode>().map_err(|_| {
        Problem::field(codes::INVALID, "/category", "Choose what kind of shop it is.")
    });
    let (((legal_name, display_name), handle), category) =
        both(both(both(legal_name, display_name), handle), category)?;
    let new = NewMerchant {
        id: MerchantId::from_uuid(state.ids.fresh()),
        handle,
        legal_name,
        display_name,
        category,
        owner: who.person.id,
        terms_version: state.ledger.status().borrow().book.terms_now().version,
        at: state.sessions.now(),
    };
    state.shops.create(&new).await?;
    tracing::info!(merchant = %new.id, "a shop was opened");
    state.sessions.choose_merchant(who.session.id, new.id).await?;
    // If the ledger does not answer, the next page tries again.
    if let Some(shop) = state.shops.by_id(new.id).await?
        && let Err(error) = state.shop_accounts.settle(&shop).await
    {
        let error = projections::describe(&error);
        tracing::warn!(%error, merchant = %new.id, "a shop's accounts were not opened");
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

async fn send_code(
    State(state): State<ApiState>,
    context: PageContext,
    client: ClientAddress,
    ShopForm(SignedForm { who, form: NoFields {} }): ShopForm<NoFields>,
) -> Result<Response, Problem> {
    match entry::send_code(&state, &who, client, Kind::Email).await {
        Ok(()) => Ok(see_other(NEW)),
        Err(problem) => again(&state, &who, &context, problem).await,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeForm {
    code: String,
}

async fn confirm_code(
    State(state): State<ApiState>,
    context: PageContext,
    ShopForm(SignedForm { who, form }): ShopForm<CodeForm>,
) -> Result<Response, Problem> {
    match entry::confirm_code(&state, &who, Kind::Email, &form.code).await {
        Ok(_) => Ok(see_other(NEW)),
        Err(problem) => again(&state, &who, &context, problem).await,
    }
}

async fn again(
    state: &ApiState,
    who: &SignedIn,
    context: &PageContext,
    problem: Problem,
) -> Result<Response, Problem> {
    let status = problem.status();
    let errors = errors_of(problem, &["code"])?;
    let view = view((state, who), context, errors, OpenShop::default()).await?;
    Ok(shown_again(status, &view))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JoinForm {
    merchant: String,
    code: String,
}

/// Answers an invitation. The code came to the address, so it proves that too.
async fn join(
    State(state): State<ApiState>,
    context: PageContext,
    ShopForm(SignedForm { who, form }): ShopForm<JoinForm>,
) -> Result<Response, Problem> {
    let (person, now) = (&who.person, state.sessions.now());
    throttle(&state, Rate::CONFIRM, person.id.uuid().as_bytes()).await?;
    let code: String = form.code.chars().filter(|c| !c.is_whitespace()).collect();
    let joined = match form.merchant.parse::<MerchantId>() {
        Ok(id) => state.shops.join(id, (person.id, &person.email), &code, now).await.map(|_| id),
        Err(_) => Err(MemberError::Code),
    };
    match joined {
        Ok(id) => {
            let hash = state.people.key().email(&person.email);
            state.people.note_email_proved(person.id, &hash, now).await?;
            state.sessions.choose_merchant(who.session.id, id).await?;
            Ok(see_other(HOME))
        }
        Err(error) => again(&state, &who, &context, error.into()).await,
    }
}

impl From<MemberError> for Problem {
    fn from(error: MemberError) -> Self {
        let said = |code, pointer: &str, error: &MemberError| {
            Self::field(code, pointer, crate::http::problem::sentence(&error.to_string()))
        };
        match error {
            MemberError::Shop(error) => error.into(),
            MemberError::Missing => Self::not_found("Nobody of this id works for the shop."),
            MemberError::Code => said(codes::CODE_REFUSED, "/code", &error),
            MemberError::LastOwner => said(codes::INVALID, "/role", &error),
            MemberError::Already => said(codes::INVALID, "/email", &error),
        }
    }
}

/// A shop to go on with.
struct Own {
    id: String,
    name: String,
    role: &'static str,
}

#[derive(Template)]
#[template(path = "merchant/shops.html")]
struct ShopsView {
    layout: Layout,
    own: Vec<Own>,
}

async fn shops_page(
    State(state): State<ApiState>,
    context: PageContext,
    ShopSignedIn(who): ShopSignedIn,
) -> Result<Response, Problem> {
    let memberships = state.shops.memberships(who.person.id).await?;
    let ids: Vec<MerchantId> = memberships.iter().map(|one| one.merchant).collect();
    let faces = state.shops.faces(&ids).await?;
    let own = memberships.iter().filter_map(|one| {
        Some(Own {
            id: one.merchant.to_string(),
            name: faces.get(&one.merchant)?.name.expose().to_owned(),
            role: one.role.as_str(),
        })
    });
    let layout = context.layout("Your shops", Nav::None, Some(viewer(&state, &who)));
    Ok(respond::page(&ShopsView { layout, own: own.collect() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChooseForm {
    merchant: String,
}

async fn choose(
    State(state): State<ApiState>,
    ShopForm(SignedForm { who, form }): ShopForm<ChooseForm>,
) -> Result<Response, Problem> {
    let nothing = crate::http::reach::nothing;
    let id: MerchantId = form.merchant.parse().map_err(|_| nothing())?;
    state.shops.role_of(id, who.person.id).await?.ok_or_else(nothing)?;
    state.sessions.choose_merchant(who.session.id, id).await?;
    Ok(see_other(HOME))
}
