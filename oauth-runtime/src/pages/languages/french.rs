//! French.

use std::collections::BTreeMap;

use crate::pages::texts::{Texts, in_words};

pub(super) fn texts() -> Texts {
    Texts {
        language: "fr".into(),
        sign_in: "Se connecter".into(),
        to_continue: "pour continuer vers {client}".into(),
        able_to: "{client} pourra :".into(),
        valid_at: "Cet accès est valable auprès de :".into(),
        lasting_access: "Garder cet accès en votre absence, jusqu’à ce que vous y mettiez fin".into(),
        username: "Nom d’utilisateur".into(),
        password: "Mot de passe".into(),
        returns_to: "Vous serez ensuite redirigé vers {host}".into(),
        cancel: "Annuler".into(),
        incomplete: "Saisissez votre nom d’utilisateur et votre mot de passe.".into(),
        too_long: "C’est trop long.".into(),
        wrong: "Le nom d’utilisateur ou le mot de passe est incorrect.".into(),
        too_many_attempts: |wait| {
            let (count, unit) = in_words(wait, ["seconde", "minute", "heure"]);
            format!("Trop de tentatives. Attendez {count} {unit}{}, puis réessayez.", if count == 1 { "" } else { "s" })
        },
        try_again_later: "La connexion est impossible pour le moment. Réessayez dans quelques instants.".into(),
        question: "Encore une étape".into(),
        signing_in_as: "Connexion en tant que {account}".into(),
        go_on: "Continuer".into(),
        answer_missing: "Donnez une réponse.".into(),
        answer_wrong: "Ce n’est pas correct.".into(),
        consent: "Autoriser l’accès ?".into(),
        wants_access: "{client} demande l’accès à votre compte {account}".into(),
        allow: "Autoriser".into(),
        deny: "Refuser".into(),
        sign_out: "Se déconnecter".into(),
        sign_out_question: "Se déconnecter ?".into(),
        stay: "Rester connecté".into(),
        stayed: "Vous êtes toujours connecté".into(),
        sent_here: "Une application vous a envoyé ici.".into(),
        signed_in_as:
            "Vous êtes connecté en tant que {account}. Les applications ouvertes avec ce compte seront aussi \
             déconnectées."
                .into(),
        signed_out: "Vous êtes déconnecté".into(),
        close_window: "Vous pouvez fermer cette fenêtre.".into(),
        cannot_go_on: "Cette connexion ne peut pas continuer".into(),
        cannot_sign_out: "La déconnexion a échoué".into(),
        went_wrong: "Un problème est survenu".into(),
        request_unusable: "L’application a envoyé une demande à laquelle il est impossible de répondre. Revenez-y et \
             réessayez. Si le problème persiste, prévenez ses responsables."
            .into(),
        server_failed: "L’erreur vient de nous, pas de vous. Réessayez plus tard.".into(),
        busy: "Un élément ne répond pas pour le moment. Réessayez dans quelques instants.".into(),
        page_expired: "Cette page est trop ancienne. Revenez à l’application et recommencez.".into(),
        page_used: "Cette page a déjà été envoyée. Revenez à l’application et recommencez.".into(),
        other_browser: "Cette connexion a commencé dans un autre navigateur, ou le vôtre ne garde pas les cookies. \
             Autorisez les cookies, revenez à l’application et recommencez."
            .into(),
        other_site: "Une page d’un autre site a envoyé ce formulaire. Revenez à l’application et recommencez.".into(),
        signed_out_since: "Vous avez été déconnecté entre-temps. Revenez à l’application et recommencez.".into(),
        account_unusable: "Ce compte ne permet pas de se connecter. Adressez-vous aux responsables de ce service."
            .into(),
        back_to: "Retour à {client}".into(),
        nothing_was_sent: "Erreur {status}. Rien n’a été envoyé à l’application.".into(),
        terms: "Conditions d’utilisation".into(),
        privacy: "Confidentialité".into(),
        scopes: BTreeMap::new(),
    }
}
