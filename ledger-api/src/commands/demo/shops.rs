//! Opens the demo's shops: each with an owner, a cashier, an accountant, stores, and a bank account
//! that its money can go to.

use std::collections::BTreeMap;

use anyhow::Context as _;
use ledger_api::{
    http::ApiState,
    payments::BankCalendar,
    people::{DEMO_PASSWORD, Email, Handle, NewPerson, Password, PersonId, Recipient},
    shops::{
        DEMO_SHOPS, DemoShop, Merchant, MerchantId, NewMerchant, PayoutSchedule, Role, StoreId,
        TerminalId,
    },
};

use super::{
    caller::Caller,
    payee::{self, Payee},
    sales::PAYOUTS,
};

/// The number of the first shop's bank account; each other has the next.
const ACCOUNT_FIRST: u64 = 400_100_000_101;
/// Their bank: one where nothing goes wrong by the paise, for those of sales are as they fall.
const IFSC: &str = "HDFC0000001";

/// All of them by their handles; what is there already is found.
pub(super) async fn open_up(
    state: &ApiState,
    caller: &Caller,
) -> anyhow::Result<BTreeMap<&'static str, MerchantId>> {
    let mut opened = BTreeMap::new();
    for (number, demo) in (ACCOUNT_FIRST..).zip(&DEMO_SHOPS) {
        let owner = person(state, demo.owner).await?;
        let shop = shop(state, demo, owner).await?;
        for (who, role) in [(demo.cashier, Role::Cashier), (demo.accountant, Role::Accountant)] {
            let member = person(state, who).await?;
            state.shops.add_member(shop.id, (member, role), state.clock.now()).await?;
        }
        state.shop_accounts.settle(&shop).await?;
        let (owner, number) = (shop.id.to_string(), number.to_string());
        let (name, ifsc) = (demo.legal_name, IFSC);
        let payee = Payee { owner: &owner, number: &number, name, ifsc };
        let to = payee::bank_account(caller, &payee).await?;
        if let Some((_, days)) = PAYOUTS.iter().find(|(handle, _)| *handle == demo.handle)
            && shop.payouts == PayoutSchedule::ByHand
        {
            let schedule = (PayoutSchedule::every(*days)?, Some(to.parse()?));
            let today = BankCalendar::day_at(state.clock.now());
            state.shops.set_payouts(shop.id, schedule, today).await?;
        }
        opened.insert(demo.handle, shop.id);
    }
    Ok(opened)
}

/// Somebody who works there, with a proved address; they sign up as anybody does.
pub(super) async fn person(
    state: &ApiState,
    (name, handle): (&'static str, &'static str),
) -> anyhow::Result<PersonId> {
    let handle: Handle = handle.parse()?;
    let email: Email = format!("{handle}@example.com").parse()?;
    if let Some(face) = state.people.find(&Recipient::Handle(handle.clone())).await? {
        let known = state.people.by_id(face.id).await?.context("somebody who was just found")?;
        // Whoever was called so before the demo is somebody else.
        anyhow::ensure!(known.email == email, "{handle} is somebody else");
        return Ok(face.id);
    }
    let password: Password = DEMO_PASSWORD.parse()?;
    let new = NewPerson {
        id: PersonId::from_uuid(state.ids.fresh()),
        handle,
        name: name.parse()?,
        email,
        phone: None,
        password: Some(state.passwords.hash(password).await?),
        email_is_proved: true,
        at: state.clock.now(),
    };
    state.people.create(&new).await?;
    let person = state.people.by_id(new.id).await?.context("somebody who just came")?;
    state.wallets.settle(&person).await?;
    Ok(new.id)
}

async fn shop(state: &ApiState, demo: &DemoShop, owner: PersonId) -> anyhow::Result<Merchant> {
    let handle: Handle = demo.handle.parse()?;
    if let Some(known) = state.shops.by_handle(&handle).await? {
        let role = state.shops.role_of(known.id, owner).await?;
        anyhow::ensure!(role == Some(Role::Owner), "{handle} is somebody else's shop");
        return Ok(known);
    }
    let at = state.clock.now();
    let new = NewMerchant {
        id: MerchantId::from_uuid(state.ids.fresh()),
        handle,
        legal_name: demo.legal_name.parse()?,
        display_name: demo.display_name.parse()?,
        category: demo.category.parse()?,
        owner,
        terms_version: state.ledger.status().borrow().book.terms_now().version,
        at,
    };
    state.shops.create(&new).await?;
    for store in demo.stores {
        let id = StoreId::from_uuid(state.ids.fresh());
        state.shops.open_store(new.id, id, &store.parse()?, at).await?;
        let till = (id, TerminalId::from_uuid(state.ids.fresh()));
        state.shops.add_terminal(new.id, till, &"Counter 1".parse()?, at).await?;
    }
    state.shops.by_id(new.id).await?.context("a shop that was just opened")
}
