//! Spanish.

use std::collections::BTreeMap;

use crate::pages::texts::{Texts, in_words, text};

pub(super) const TEXTS: Texts = Texts {
    language: text("es"),
    sign_in: text("Iniciar sesión"),
    to_continue: text("para continuar en {client}"),
    able_to: text("{client} podrá:"),
    valid_at: text("Este acceso es válido en:"),
    lasting_access: text("Conservar este acceso en su ausencia, hasta que usted lo retire"),
    username: text("Nombre de usuario"),
    password: text("Contraseña"),
    returns_to: text("Después se le redirigirá a {host}"),
    returns_to_app: text("Después se le redirigirá a una aplicación de este dispositivo que abre {scheme}"),
    cancel: text("Cancelar"),
    incomplete: text("Introduzca su nombre de usuario y su contraseña."),
    too_long: text("Es demasiado largo."),
    wrong: text("El nombre de usuario o la contraseña no son correctos."),
    too_many_attempts: |wait| {
        let (count, unit) = in_words(wait, ["segundo", "minuto", "hora"]);
        let plural = if count == 1 { "" } else { "s" };
        format!("Demasiados intentos. Espere {count} {unit}{plural} y vuelva a intentarlo.")
    },
    try_again_later: text("Ahora mismo no se puede iniciar sesión. Vuelva a intentarlo en unos instantes."),
    question: text("Un paso más"),
    signing_in_as: text("Inicio de sesión como {account}"),
    go_on: text("Continuar"),
    answer_missing: text("Indique una respuesta."),
    answer_wrong: text("La respuesta no es correcta."),
    consent: text("¿Permitir el acceso?"),
    wants_access: text("{client} solicita acceso a su cuenta {account}"),
    calls_itself: text("La aplicación dice llamarse {name}"),
    unverified: text("Esta aplicación se registró ella misma: su nombre no se ha verificado"),
    on_this_device: text(
        "La aplicación indica que se ejecuta en su dispositivo: permita el acceso solo si usted acaba de iniciarla en él",
    ),
    allow: text("Permitir"),
    deny: text("Denegar"),
    device: text("Iniciar sesión en un dispositivo"),
    enter_code: text("Introduzca el código que muestra su dispositivo"),
    compare_code: text("¿Muestra su dispositivo exactamente este código?"),
    user_code: text("Código del dispositivo"),
    code_wrong: text(
        "Ningún dispositivo en espera coincide con este código. Compruébelo, o haga que el dispositivo muestre uno nuevo.",
    ),
    for_device: text("Lo solicita el dispositivo que muestra {code}"),
    device_shows: text("Su dispositivo debe mostrar este código"),
    device_asked: text("Solicitado a las {time} UTC desde {address}"),
    device_warning: text(
        "Permita el acceso solo si usted acaba de solicitarlo. De lo contrario, quien le envió aquí o le dio el código podría entrar en su cuenta.",
    ),
    device_allowed: text("Su dispositivo puede continuar"),
    device_denied: text("No se ha permitido el acceso"),
    back_to_device: text("Vuelva a su dispositivo. Puede cerrar esta ventana."),
    sign_out: text("Cerrar sesión"),
    sign_out_question: text("¿Cerrar sesión?"),
    stay: text("Mantener sesión iniciada"),
    stayed: text("Su sesión sigue iniciada"),
    sent_here: text("Una aplicación le ha redirigido a esta página."),
    signed_in_as: text(
        "Ha iniciado sesión como {account}. También se cerrará la sesión en las aplicaciones que abrió con \
             esta cuenta.",
    ),
    signed_out: text("Ha cerrado sesión"),
    close_window: text("Puede cerrar esta ventana."),
    cannot_go_on: text("No se puede continuar con este inicio de sesión"),
    cannot_sign_out: text("No se ha podido cerrar la sesión"),
    went_wrong: text("Se ha producido un error"),
    request_unusable: text(
        "La aplicación ha enviado una solicitud que no se puede atender. Vuelva a la aplicación e inténtelo de nuevo. Si el problema continúa, avise a sus responsables.",
    ),
    server_failed: text("El error es nuestro, no suyo. Vuelva a intentarlo más tarde."),
    busy: text("Un servicio no responde en este momento. Vuelva a intentarlo en unos instantes."),
    page_expired: text("Esta página ha caducado. Vuelva a la aplicación y empiece de nuevo."),
    page_used: text("Este formulario ya se ha enviado. Vuelva a la aplicación y empiece de nuevo."),
    other_browser: text(
        "Este inicio de sesión empezó en otro navegador, o su navegador no acepta cookies. Permita las cookies, vuelva a la aplicación y empiece de nuevo.",
    ),
    other_site: text("Este formulario se ha enviado desde otro sitio web. Vuelva a la aplicación y empiece de nuevo."),
    signed_out_since: text("Mientras tanto, se ha cerrado su sesión. Vuelva a la aplicación y empiece de nuevo."),
    account_unusable: text(
        "No se puede iniciar sesión con esta cuenta. Póngase en contacto con los responsables de este servicio.",
    ),
    not_allowed: text("No se ha permitido el acceso. Puede cerrar esta ventana."),
    application_unknown: text(
        "Los datos que la aplicación da sobre sí misma no se pueden usar, así que no sabemos quién solicita el acceso. No se ha permitido el acceso. Avise a los responsables de la aplicación.",
    ),
    application_away: text(
        "En este momento no sabemos quién solicita el acceso. No se ha permitido el acceso. Vuelva a la aplicación e inténtelo de nuevo en unos instantes.",
    ),
    back_to: text("Volver a {client}"),
    sign_in_first: text("No ha iniciado sesión aquí. Abra una aplicación, inicie sesión y vuelva."),
    page_not_shown: text("No se puede mostrar esta página"),
    not_for_account: text("La cuenta con la que ha iniciado sesión no puede ver esta página."),
    not_taken: text(
        "Su sesión ya no está iniciada, así que no se ha aceptado lo que envió. Inicie sesión y envíelo de nuevo.",
    ),
    other_account: text("Usar otra cuenta"),
    nothing_was_sent: text("Error {status}. No se ha enviado nada a la aplicación."),
    your_account: text("Su cuenta"),
    signed_in_here: text("Ha iniciado sesión como {account}"),
    sessions: text("Dónde ha iniciado sesión"),
    this_browser: text("Este navegador"),
    another_browser: text("Otro navegador"),
    since: text("desde el {date}"),
    last_used: text("último uso el {date}"),
    applications: text("Aplicaciones con acceso"),
    no_applications: text("Ninguna aplicación tiene acceso duradero."),
    remove_access: text("Retirar acceso"),
    terms: text("Condiciones de uso"),
    privacy: text("Privacidad"),
    scopes: BTreeMap::new(),
};
