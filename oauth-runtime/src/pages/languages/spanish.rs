//! Spanish.

use std::collections::BTreeMap;

use crate::pages::texts::{Texts, in_words};

pub(super) fn texts() -> Texts {
    Texts {
        language: "es".into(),
        sign_in: "Iniciar sesión".into(),
        to_continue: "para continuar en {client}".into(),
        able_to: "{client} podrá:".into(),
        valid_at: "Este acceso es válido en:".into(),
        lasting_access: "Conservar este acceso en su ausencia, hasta que usted lo retire".into(),
        username: "Nombre de usuario".into(),
        password: "Contraseña".into(),
        returns_to: "Después se le enviará a {host}".into(),
        cancel: "Cancelar".into(),
        incomplete: "Escriba su nombre de usuario y su contraseña.".into(),
        too_long: "Es demasiado largo.".into(),
        wrong: "El nombre de usuario o la contraseña no son correctos.".into(),
        too_many_attempts: |wait| {
            let (count, unit) = in_words(wait, ["segundo", "minuto", "hora"]);
            let plural = if count == 1 { "" } else { "s" };
            format!("Demasiados intentos. Espere {count} {unit}{plural} y vuelva a intentarlo.")
        },
        try_again_later: "Ahora mismo no se puede iniciar sesión. Vuelva a intentarlo en unos momentos.".into(),
        question: "Un paso más".into(),
        signing_in_as: "Inicio de sesión como {account}".into(),
        go_on: "Continuar".into(),
        answer_missing: "Dé una respuesta.".into(),
        answer_wrong: "No es correcto.".into(),
        consent: "¿Permitir el acceso?".into(),
        wants_access: "{client} solicita acceso a su cuenta {account}".into(),
        allow: "Permitir".into(),
        deny: "Rechazar".into(),
        sign_out: "Cerrar sesión".into(),
        sign_out_question: "¿Cerrar sesión?".into(),
        stay: "Seguir conectado".into(),
        stayed: "Su sesión sigue iniciada".into(),
        sent_here: "Una aplicación le ha enviado aquí.".into(),
        signed_in_as:
            "Ha iniciado sesión como {account}. También se cerrará la sesión en las aplicaciones que abrió con \
             esta cuenta."
                .into(),
        signed_out: "Ha cerrado la sesión".into(),
        close_window: "Puede cerrar esta ventana.".into(),
        cannot_go_on: "Este inicio de sesión no puede continuar".into(),
        cannot_sign_out: "No se ha podido cerrar la sesión".into(),
        went_wrong: "Algo ha fallado".into(),
        request_unusable:
            "La aplicación ha enviado algo a lo que no se puede responder. Vuelva a ella e inténtelo de nuevo. \
             Si sigue fallando, avise a sus responsables."
                .into(),
        server_failed: "El error es nuestro, no suyo. Vuelva a intentarlo más tarde.".into(),
        busy: "Algo no responde en este momento. Vuelva a intentarlo en unos momentos.".into(),
        page_expired: "Esta página es demasiado antigua. Vuelva a la aplicación y empiece de nuevo.".into(),
        page_used: "Esta página ya se envió antes. Vuelva a la aplicación y empiece de nuevo.".into(),
        other_browser:
            "Este inicio de sesión empezó en otro navegador, o el suyo no guarda cookies. Permita las cookies, \
             vuelva a la aplicación y empiece de nuevo."
                .into(),
        other_site: "Una página de otro sitio envió este formulario. Vuelva a la aplicación y empiece de nuevo.".into(),
        signed_out_since: "Su sesión se ha cerrado entretanto. Vuelva a la aplicación y empiece de nuevo.".into(),
        account_unusable: "Con esta cuenta no se puede iniciar sesión. Consulte a los responsables de este servicio."
            .into(),
        back_to: "Volver a {client}".into(),
        nothing_was_sent: "Error {status}. No se ha enviado nada a la aplicación.".into(),
        terms: "Condiciones de uso".into(),
        privacy: "Privacidad".into(),
        scopes: BTreeMap::new(),
    }
}
