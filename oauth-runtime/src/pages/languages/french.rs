//! French.

use std::collections::BTreeMap;

use crate::pages::texts::{Texts, in_words, text};

pub(super) const TEXTS: Texts = Texts {
    language: text("fr"),
    sign_in: text("Se connecter"),
    to_continue: text("pour continuer vers {client}"),
    able_to: text("{client} pourra :"),
    valid_at: text("Cet accès est valable auprès de :"),
    lasting_access: text("Garder cet accès en votre absence, jusqu’à ce que vous y mettiez fin"),
    username: text("Nom d’utilisateur"),
    password: text("Mot de passe"),
    returns_to: text("Vous serez ensuite redirigé vers {host}"),
    cancel: text("Annuler"),
    incomplete: text("Saisissez votre nom d’utilisateur et votre mot de passe."),
    too_long: text("C’est trop long."),
    wrong: text("Le nom d’utilisateur ou le mot de passe est incorrect."),
    too_many_attempts: |wait| {
        let (count, unit) = in_words(wait, ["seconde", "minute", "heure"]);
        format!("Trop de tentatives. Attendez {count} {unit}{}, puis réessayez.", if count == 1 { "" } else { "s" })
    },
    try_again_later: text("La connexion est impossible pour le moment. Réessayez dans quelques instants."),
    question: text("Encore une étape"),
    signing_in_as: text("Connexion en tant que {account}"),
    go_on: text("Continuer"),
    answer_missing: text("Donnez une réponse."),
    answer_wrong: text("Ce n’est pas correct."),
    consent: text("Autoriser l’accès ?"),
    wants_access: text("{client} demande l’accès à votre compte {account}"),
    calls_itself: text("Elle se nomme elle-même {name}"),
    unverified: text("Cette application s’est enregistrée elle-même : son nom n’est pas vérifié"),
    on_this_device: text("Elle dit s’exécuter sur votre appareil : n’autorisez que si vous venez de l’y lancer"),
    allow: text("Autoriser"),
    deny: text("Refuser"),
    device: text("Se connecter sur un appareil"),
    enter_code: text("Saisissez le code que votre appareil affiche"),
    compare_code: text("Votre appareil affiche-t-il exactement ce code ?"),
    user_code: text("Code de l’appareil"),
    code_wrong: text(
        "Aucun appareil n’attend avec ce code. Comparez-le encore une fois, ou faites afficher un nouveau code par l’appareil.",
    ),
    for_device: text("C’est l’appareil affichant {code} qui le demande"),
    device_shows: text("Votre appareil doit afficher ce code"),
    device_asked: text("Demandé à {time} UTC depuis {address}"),
    device_warning: text(
        "N’autorisez que ce que vous venez de commencer vous-même. Qui vous a envoyé ici ou donné le code aurait accès à votre compte.",
    ),
    device_allowed: text("Votre appareil peut continuer"),
    device_denied: text("Rien n’a été autorisé"),
    back_to_device: text("Revenez à votre appareil. Vous pouvez fermer cette fenêtre."),
    sign_out: text("Se déconnecter"),
    sign_out_question: text("Se déconnecter ?"),
    stay: text("Rester connecté"),
    stayed: text("Vous êtes toujours connecté"),
    sent_here: text("Une application vous a envoyé ici."),
    signed_in_as: text(
        "Vous êtes connecté en tant que {account}. Les applications ouvertes avec ce compte seront aussi \
             déconnectées.",
    ),
    signed_out: text("Vous êtes déconnecté"),
    close_window: text("Vous pouvez fermer cette fenêtre."),
    cannot_go_on: text("Cette connexion ne peut pas continuer"),
    cannot_sign_out: text("La déconnexion a échoué"),
    went_wrong: text("Un problème est survenu"),
    request_unusable: text(
        "L’application a envoyé une demande à laquelle il est impossible de répondre. Revenez-y et \
             réessayez. Si le problème persiste, prévenez ses responsables.",
    ),
    server_failed: text("L’erreur vient de nous, pas de vous. Réessayez plus tard."),
    busy: text("Un élément ne répond pas pour le moment. Réessayez dans quelques instants."),
    page_expired: text("Cette page est trop ancienne. Revenez à l’application et recommencez."),
    page_used: text("Cette page a déjà été envoyée. Revenez à l’application et recommencez."),
    other_browser: text(
        "Cette connexion a commencé dans un autre navigateur, ou le vôtre ne garde pas les cookies. \
             Autorisez les cookies, revenez à l’application et recommencez.",
    ),
    other_site: text("Une page d’un autre site a envoyé ce formulaire. Revenez à l’application et recommencez."),
    signed_out_since: text("Vous avez été déconnecté entre-temps. Revenez à l’application et recommencez."),
    account_unusable: text("Ce compte ne permet pas de se connecter. Adressez-vous aux responsables de ce service."),
    not_allowed: text("Rien n’a été autorisé. Vous pouvez fermer cette fenêtre."),
    application_unknown: text(
        "Ce que l’application dit d’elle-même est inutilisable : on ne sait pas qui demande. Rien n’a été autorisé. Prévenez les responsables de l’application.",
    ),
    application_away: text(
        "On ne sait pas pour le moment qui demande. Rien n’a été autorisé. Retournez à l’application et réessayez dans un instant.",
    ),
    back_to: text("Retour à {client}"),
    sign_in_first: text("Vous n’êtes pas connecté ici. Ouvrez une application, connectez-vous, puis revenez."),
    page_not_shown: text("Cette page ne peut pas être affichée"),
    not_for_account: text("Le compte avec lequel vous êtes connecté n’a pas accès à cette page."),
    not_taken: text(
        "Vous n’êtes plus connecté : ce que vous avez envoyé n’a pas été pris en compte. Connectez-vous, puis envoyez-le de nouveau.",
    ),
    other_account: text("Utiliser un autre compte"),
    nothing_was_sent: text("Erreur {status}. Rien n’a été envoyé à l’application."),
    your_account: text("Votre compte"),
    signed_in_here: text("Vous êtes connecté en tant que {account}"),
    sessions: text("Où vous êtes connecté"),
    this_browser: text("Ce navigateur"),
    another_browser: text("Un autre navigateur"),
    since: text("depuis le {date}"),
    last_used: text("dernière utilisation le {date}"),
    applications: text("Applications autorisées"),
    no_applications: text("Aucune application n’a d’accès durable."),
    remove_access: text("Retirer l’accès"),
    terms: text("Conditions d’utilisation"),
    privacy: text("Confidentialité"),
    scopes: BTreeMap::new(),
};
