//! Japanese.

use std::collections::BTreeMap;

use crate::pages::texts::{Texts, in_words, text};

pub(super) const TEXTS: Texts = Texts {
    language: text("ja"),
    sign_in: text("ログイン"),
    to_continue: text("{client} に進みます"),
    able_to: text("{client} ができること:"),
    valid_at: text("このアクセスの利用先:"),
    lasting_access: text("取り消すまで、ご不在の間もアクセスを続ける"),
    username: text("ユーザー名"),
    password: text("パスワード"),
    returns_to: text("このあと {host} に移動します"),
    cancel: text("キャンセル"),
    incomplete: text("ユーザー名とパスワードを入力してください。"),
    too_long: text("長すぎます。"),
    wrong: text("ユーザー名またはパスワードが正しくありません。"),
    too_many_attempts: |wait| {
        let (count, unit) = in_words(wait, ["秒", "分", "時間"]);
        format!("試行回数が多すぎます。{count}{unit}待ってから、もう一度お試しください。")
    },
    try_again_later: text("現在ログインできません。しばらくしてからもう一度お試しください。"),
    question: text("もう一つ確認します"),
    signing_in_as: text("{account} としてログインします"),
    go_on: text("次へ"),
    answer_missing: text("回答を入力してください。"),
    answer_wrong: text("正しくありません。"),
    consent: text("アクセスを許可しますか?"),
    wants_access: text("{client} がアカウント {account} へのアクセスを求めています"),
    allow: text("許可する"),
    deny: text("許可しない"),
    sign_out: text("ログアウト"),
    sign_out_question: text("ログアウトしますか?"),
    stay: text("ログインしたままにする"),
    stayed: text("ログインしたままです"),
    sent_here: text("アプリケーションから移動してきました。"),
    signed_in_as: text(
        "{account} としてログインしています。このアカウントで開いたアプリケーションからもログアウトします。",
    ),
    signed_out: text("ログアウトしました"),
    close_window: text("このウィンドウは閉じてかまいません。"),
    cannot_go_on: text("このログインは続けられません"),
    cannot_sign_out: text("ログアウトできませんでした"),
    went_wrong: text("問題が発生しました"),
    request_unusable: text(
        "アプリケーションから処理できない要求が送られました。アプリケーションに戻って、もう一度お試しください。解決しない場合は、その運営者にお知らせください。",
    ),
    server_failed: text("こちら側の問題です。しばらくしてからもう一度お試しください。"),
    busy: text("現在応答がありません。しばらくしてからもう一度お試しください。"),
    page_expired: text("このページは古くなっています。アプリケーションに戻って、最初からやり直してください。"),
    page_used: text("このページはすでに送信されています。アプリケーションに戻って、最初からやり直してください。"),
    other_browser: text(
        "このログインは別のブラウザーで始められたか、Cookie が無効になっています。Cookie を有効にし、アプリケーションに戻って、最初からやり直してください。",
    ),
    other_site: text(
        "別のサイトのページからこのフォームが送信されました。アプリケーションに戻って、最初からやり直してください。",
    ),
    signed_out_since: text("その間にログアウトされました。アプリケーションに戻って、最初からやり直してください。"),
    account_unusable: text("このアカウントではログインできません。このサービスの運営者にお問い合わせください。"),
    back_to: text("{client} に戻る"),
    sign_in_first: text("ログインしていません。アプリケーションを開いてログインしてから、もう一度お越しください。"),
    nothing_was_sent: text("エラー {status}。アプリケーションには何も送信されていません。"),
    your_account: text("アカウント"),
    signed_in_here: text("{account} としてログインしています"),
    sessions: text("ログイン中の端末"),
    this_browser: text("このブラウザー"),
    another_browser: text("別のブラウザー"),
    since: text("{date} から"),
    last_used: text("最終利用 {date}"),
    applications: text("アクセスできるアプリケーション"),
    no_applications: text("継続的にアクセスできるアプリケーションはありません。"),
    remove_access: text("アクセスを取り消す"),
    terms: text("利用規約"),
    privacy: text("プライバシー"),
    scopes: BTreeMap::new(),
};
