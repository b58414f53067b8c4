//! Japanese.

use std::collections::BTreeMap;

use crate::pages::texts::{Texts, in_words};

pub(super) fn texts() -> Texts {
    Texts {
        language: "ja".into(),
        sign_in: "ログイン".into(),
        to_continue: "{client} に進みます".into(),
        able_to: "{client} ができること:".into(),
        valid_at: "このアクセスの利用先:".into(),
        lasting_access: "取り消すまで、ご不在の間もアクセスを続ける".into(),
        username: "ユーザー名".into(),
        password: "パスワード".into(),
        returns_to: "このあと {host} に移動します".into(),
        cancel: "キャンセル".into(),
        incomplete: "ユーザー名とパスワードを入力してください。".into(),
        too_long: "長すぎます。".into(),
        wrong: "ユーザー名またはパスワードが正しくありません。".into(),
        too_many_attempts: |wait| {
            let (count, unit) = in_words(wait, ["秒", "分", "時間"]);
            format!("試行回数が多すぎます。{count}{unit}待ってから、もう一度お試しください。")
        },
        try_again_later: "現在ログインできません。しばらくしてからもう一度お試しください。".into(),
        question: "もう一つ確認します".into(),
        signing_in_as: "{account} としてログインします".into(),
        go_on: "次へ".into(),
        answer_missing: "回答を入力してください。".into(),
        answer_wrong: "正しくありません。".into(),
        consent: "アクセスを許可しますか?".into(),
        wants_access: "{client} がアカウント {account} へのアクセスを求めています".into(),
        allow: "許可する".into(),
        deny: "許可しない".into(),
        sign_out: "ログアウト".into(),
        sign_out_question: "ログアウトしますか?".into(),
        stay: "ログインしたままにする".into(),
        stayed: "ログインしたままです".into(),
        sent_here: "アプリケーションから移動してきました。".into(),
        signed_in_as: "{account} としてログインしています。このアカウントで開いたアプリケーションからもログアウトします。".into(),
        signed_out: "ログアウトしました".into(),
        close_window: "このウィンドウは閉じてかまいません。".into(),
        cannot_go_on: "このログインは続けられません".into(),
        cannot_sign_out: "ログアウトできませんでした".into(),
        went_wrong: "問題が発生しました".into(),
        request_unusable: "アプリケーションから処理できない要求が送られました。アプリケーションに戻って、もう一度お試しください。解決しない場合は、その運営者にお知らせください。".into(),
        server_failed: "こちら側の問題です。しばらくしてからもう一度お試しください。".into(),
        busy: "現在応答がありません。しばらくしてからもう一度お試しください。".into(),
        page_expired: "このページは古くなっています。アプリケーションに戻って、最初からやり直してください。".into(),
        page_used: "このページはすでに送信されています。アプリケーションに戻って、最初からやり直してください。".into(),
        other_browser: "このログインは別のブラウザーで始められたか、Cookie が無効になっています。Cookie を有効にし、アプリケーションに戻って、最初からやり直してください。".into(),
        other_site: "別のサイトのページからこのフォームが送信されました。アプリケーションに戻って、最初からやり直してください。"
            .into(),
        signed_out_since: "その間にログアウトされました。アプリケーションに戻って、最初からやり直してください。".into(),
        account_unusable: "このアカウントではログインできません。このサービスの運営者にお問い合わせください。".into(),
        back_to: "{client} に戻る".into(),
        nothing_was_sent: "エラー {status}。アプリケーションには何も送信されていません。".into(),
        terms: "利用規約".into(),
        privacy: "プライバシー".into(),
        scopes: BTreeMap::new(),
    }
}
