//! The whole way of a stranger, and what must not go wrong on it.

use thirtyfour::By;

use super::wallet::{PASSWORD, on_the_demo};

/// Signs up, proves who it is, adds money at the bank's page, sends some to a friend, and takes
/// the rest out; each is seen to come to its end.
async fn the_way(handle: &str, number: u32, scripts: bool) {
    on_the_demo(async |browser, demo| {
        if !scripts {
            browser.without_scripts().await;
        }
        browser.sign_up(demo, handle, number).await;
        browser.add(demo, "2000", "₹2,000.00").await;
        browser.pay().await;
        browser.is_done(scripts).await;
        browser.prepare_to_send(demo, "@ravi", "250", "For the tea").await;
        browser.sees("Ravi Kumar").await;
        browser.press("Send ₹250.00").await;
        browser.is_done(scripts).await;
        browser.check().await;
        browser.add_bank_account(demo).await;
        browser.open(&format!("{}/app/move?tab=withdraw", demo.address)).await;
        browser.fill("Amount", "1740").await;
        browser.press("Continue").await;
        browser.press("Withdraw ₹1,740.00").await;
        browser.is_done(scripts).await;
        browser.check().await;
        browser.open(&format!("{}/app/move?tab=send", demo.address)).await;
        browser.sees("You have ₹0.00 available").await;
    })
    .await;
}

#[tokio::test]
async fn a_stranger_adds_sends_and_withdraws_and_sees_each_end_live() {
    the_way("with_scripts", 1, true).await;
}

#[tokio::test]
async fn a_stranger_adds_sends_and_withdraws_without_any_script() {
    the_way("without_scripts", 2, false).await;
}

/// Sends by a double click where scripts run, goes back and sends what is there once more.
async fn twice(handle: &str, number: u32, scripts: bool) {
    on_the_demo(async |browser, demo| {
        if !scripts {
            browser.without_scripts().await;
        }
        browser.sign_up(demo, handle, number).await;
        browser.add(demo, "500", "₹500.00").await;
        browser.pay().await;
        browser.is_done(scripts).await;
        browser.prepare_to_send(demo, "@meera", "100", "Once").await;
        browser.sees("Meera Nair").await;
        if scripts {
            // Two clicks before either is answered.
            browser
                .ask("const b = document.querySelector('.sheet button'); b.click(); b.click()")
                .await;
        } else {
            browser.press("Send ₹100.00").await;
        }
        browser.at("/app/activity/").await;
        browser.is_done(scripts).await;
        browser.driver.back().await.unwrap();
        // The sheet is a page with an address: it is shown again, and no browser asks whether to
        // send a form once more. Whoever presses then has sent it already.
        browser.at("/app/move/send/check?draft=").await;
        browser.sees("Meera Nair").await;
        browser.click(By::Css(".sheet button")).await;
        browser.at("/app/activity/").await;
        assert_eq!(browser.activity(demo).await, 2, "one addition and one sending");
    })
    .await;
}

#[tokio::test]
async fn a_double_click_and_the_way_back_send_once() {
    twice("twice", 3, true).await;
}

#[tokio::test]
async fn the_way_back_sends_once_without_any_script() {
    twice("twice_unscripted", 6, false).await;
}

/// Prepares one sending in each of two tabs, and sends both.
async fn two_tabs(handle: &str, number: u32, scripts: bool) {
    on_the_demo(async |browser, demo| {
        if !scripts {
            browser.without_scripts().await;
        }
        browser.sign_up(demo, handle, number).await;
        browser.add(demo, "500", "₹500.00").await;
        browser.pay().await;
        browser.is_done(scripts).await;
        browser.prepare_to_send(demo, "@meera", "100", "From the first").await;
        browser.sees("Send ₹100.00").await;
        let first = browser.driver.window().await.unwrap();
        let second = browser.driver.new_tab().await.unwrap();
        browser.driver.switch_to_window(second).await.unwrap();
        if !scripts {
            // Each tab has a switch of its own.
            browser.without_scripts().await;
        }
        browser.prepare_to_send(demo, "@asha", "150", "From the second").await;
        browser.press("Send ₹150.00").await;
        browser.is_done(scripts).await;
        browser.driver.switch_to_window(first).await.unwrap();
        browser.press("Send ₹100.00").await;
        browser.is_done(scripts).await;
        assert_eq!(browser.activity(demo).await, 3, "one addition and two sendings");
    })
    .await;
}

#[tokio::test]
async fn two_tabs_send_what_each_of_them_shows() {
    two_tabs("two_tabs", 4, true).await;
}

#[tokio::test]
async fn two_tabs_send_what_each_of_them_shows_without_any_script() {
    two_tabs("two_tabs_unscripted", 7, false).await;
}

/// Loses the session on the last sheet, logs in again and is back at the form.
async fn ends_in_the_middle(handle: &str, number: u32, scripts: bool) {
    on_the_demo(async |browser, demo| {
        if !scripts {
            browser.without_scripts().await;
        }
        browser.sign_up(demo, handle, number).await;
        browser.add(demo, "500", "₹500.00").await;
        browser.pay().await;
        browser.is_done(scripts).await;
        browser.prepare_to_send(demo, "@meera", "100", "Too late").await;
        browser.sees("Send ₹100.00").await;
        browser.driver.delete_all_cookies().await.unwrap();
        browser.press("Send ₹100.00").await;
        browser.at("/login").await;
        browser.log_in_here(handle, PASSWORD).await;
        browser.at("/app/move?tab=send").await;
        assert_eq!(browser.activity(demo).await, 1, "nothing was sent");
        browser.prepare_to_send(demo, "@meera", "100", "In time").await;
        browser.press("Send ₹100.00").await;
        browser.is_done(scripts).await;
        assert_eq!(browser.activity(demo).await, 2, "and then once");
    })
    .await;
}

#[tokio::test]
async fn a_session_that_ends_in_the_middle_pays_nothing_and_asks_who_it_is() {
    ends_in_the_middle("forgotten", 5, true).await;
}

#[tokio::test]
async fn a_session_that_ends_in_the_middle_leads_back_to_the_form_without_any_script() {
    ends_in_the_middle("forgotten_unscripted", 8, false).await;
}
