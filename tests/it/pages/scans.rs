//! Pictures of QR codes, sent by a form alone and by the API.

use reqwest::Method;
use serde_json::json;

use super::reader::{hidden, page};
use crate::{
    shops::clerk::Clerk,
    support::{
        bahi::{Reply, send},
        qr::{jpeg, png, two},
    },
    user_api::person::{Person, Scene},
};

const READ: &str = "/v1/qr-codes/read";

/// What is sent when the form with a picture is. Redirects are followed.
async fn scan(person: &Person, csrf: &str, picture: &[u8]) -> Reply {
    let mut form = Vec::new();
    for part in [
        b"--edge\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n".as_slice(),
        csrf.as_bytes(),
        b"\r\n--edge\r\ncontent-disposition: form-data; name=\"picture\"; filename=\"a.jpg\"\r\n\
          content-type: image/jpeg\r\n\r\n",
        picture,
        b"\r\n--edge--\r\n",
    ] {
        form.extend_from_slice(part);
    }
    let request = person.bare(Method::POST, "/app/scan").header("origin", &person.address);
    let request = request.header("content-type", "multipart/form-data; boundary=edge");
    send(request.header("accept", "text/html").body(form)).await
}

async fn read(person: &Person, kind: &str, picture: Vec<u8>) -> Reply {
    let request = person.request(Method::POST, READ).header("content-type", kind);
    send(request.body(picture)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_leads_where_its_code_does() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "500.00").await;
    scene.person("ravi", "1.00").await;
    let (_, shop) = Clerk::with_shop(&scene, "kamala").await;
    let handle: String = sqlx::query_scalar("select handle from merchants where id = $1::uuid")
        .bind(shop.strip_prefix("mer_").unwrap())
        .fetch_one(&scene.bahi.database.pool().await)
        .await
        .unwrap();
    for form in ["/app/move?tab=send", "/app/pay", "/app/scan"] {
        let shown = page(&asha, form).await;
        assert!(shown.text.contains("enctype=\"multipart/form-data\""), "{form}: {}", shown.text);
        assert!(shown.text.contains("accept=\"image/png,image/jpeg\""), "{form}");
    }
    // A shop: the page where it is paid, with the amount to be said or with the sheet.
    let open = scan(&asha, &asha.csrf, &jpeg(&format!("upi://pay?pa={handle}@bahi&cu=INR"))).await;
    assert_eq!(open.status, 200, "{}", open.text);
    assert!(open.text.contains("<h1>Pay <bdi>"), "{}", open.text);
    let asked =
        scan(&asha, &asha.csrf, &png(&format!("upi://pay?pa={handle}@bahi&am=12.50"))).await;
    assert!(asked.text.contains("Check and pay") && asked.text.contains("₹12"), "{}", asked.text);
    // A person: the form with their name, or the sheet.
    let open = scan(&asha, &asha.csrf, &jpeg("bahi:pay?to=@ravi")).await;
    assert_eq!(open.status, 200);
    assert!(open.text.contains("ravi Rao") && open.text.contains("Say how much"), "{}", open.text);
    assert!(open.text.contains("value=\"@ravi\""), "{}", open.text);
    let asked = scan(&asha, &asha.csrf, &png("bahi:pay?to=@ravi&am=3.00&tn=Tea")).await;
    assert!(asked.text.contains("Check and send"), "{}", asked.text);
    assert_eq!((hidden(&asked, "amount"), hidden(&asked, "note")), ("3.00".into(), "Tea".into()));
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_picture_lacks_is_said_beside_its_field() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "500.00").await;
    let blank = crate::support::qr::file(
        image::GrayImage::from_pixel(300, 300, image::Luma([240])),
        image::ImageFormat::Png,
    );
    let large = vec![0; (5 << 20) + 1];
    for (picture, text) in [
        (Vec::new(), "Choose a picture of a QR code."),
        (b"<svg/>".to_vec(), "no picture that can be read here"),
        (png("@ravi")[..60].to_vec(), "The picture is damaged."),
        (blank, "see a QR code in that picture"),
        (two(), "more than one QR code"),
        (large, "larger than 5 MB"),
        (png("upi://pay?pa=shop@hdfc&am=1"), "a UPI code of another bank"),
        (png("https://example.org/menu"), "leads to another page"),
        (png("WIFI:S:cafe;;"), "This is no payment code."),
        (png("bahi:pay?to=@nobody_here"), "find @nobody_here"),
        (png("bahi:pay?to=@asha"), "That is you."),
    ] {
        let said = scan(&asha, &asha.csrf, &picture).await;
        assert_eq!(said.status, 422, "{text}: {}", said.text);
        assert!(said.text.contains(text), "{text}: {}", said.text);
        assert!(said.text.contains("aria-invalid") && said.text.contains("href=\"#picture\""));
    }
    let forged = scan(&asha, "nonsense", &png("bahi:pay?to=@ravi")).await;
    assert_eq!(forged.status, 403, "{}", forged.text);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_ask_what_a_picture_or_a_text_says() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "500.00").await;
    let link = "upi://pay?pa=chai@bahi&am=12.50&cu=INR";
    let shop = read(&asha, "image/png", png(link)).await.made();
    let said = json!({"object": "qr_code", "text": link, "kind": "shop", "link": link,
        "request": null, "to": null, "amount": {"value": "12.50", "currency": "INR"},
        "note": null, "detail": null});
    assert_eq!(shop, said);
    assert_eq!(asha.post(READ, &json!({"text": link})).await.made(), said);
    let person = read(&asha, "image/jpeg", jpeg("bahi:pay?to=@ravi&tn=Tea")).await.made();
    assert_eq!(
        (&person["kind"], &person["to"], &person["note"]),
        (&json!("person"), &json!({"handle": "ravi"}), &json!("Tea"))
    );
    let id = "pr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6";
    // The page of payments, by its whole address or, where the service was told none, by its path.
    let mut requests = 0;
    for page in [format!("{}/app/pay", scene.bahi.address), "/app/pay".to_owned()] {
        let asked = asha.post(READ, &json!({"text": format!("{page}?request={id}")})).await.made();
        let ours = asked["kind"] == "payment_request";
        assert!(if ours { asked["request"] == id } else { asked["kind"] == "other" }, "{asked}");
        requests += u32::from(ours);
    }
    assert_eq!(requests, 1);
    let other = asha.post(READ, &json!({"text": "WIFI:S:cafe;;"})).await.made();
    assert_eq!(
        (&other["kind"], &other["detail"]),
        (&json!("other"), &json!("This is no payment code."))
    );

    for (kind, body, status, code) in [
        ("image/png", b"GIF89a".to_vec(), 422, "picture_invalid"),
        ("image/png", two(), 422, "qr_codes_several"),
        ("image/jpeg", vec![0; (5 << 20) + 1], 413, "too_large"),
        ("image/gif", png(link), 415, "unsupported_media_type"),
        ("application/json", b"{}".to_vec(), 422, "invalid"),
        ("application/json", b"{".to_vec(), 400, "malformed"),
    ] {
        let refused = read(&asha, kind, body).await;
        assert_eq!((refused.status.as_u16(), &*refused.code()), (status, code), "{kind}");
    }
    let forged = asha.bare(Method::POST, READ).header("content-type", "image/png");
    assert_eq!(send(forged.body(png(link))).await.status, 403);
    // By the hundred it ends, for this person alone.
    let mut last = asha.post(READ, &json!({"text": link})).await;
    for _ in 0..20 {
        last = asha.post(READ, &json!({"text": link})).await;
    }
    assert_eq!((last.status.as_u16(), &*last.code()), (429, "too_many_tries"), "{}", last.text);
    scene.finish().await;
}
