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
    returns_to: text("Después se le enviará a {host}"),
    cancel: text("Cancelar"),
    incomplete: text("Escriba su nombre de usuario y su contraseña."),
    too_long: text("Es demasiado largo."),
    wrong: text("El nombre de usuario o la contraseña no son correctos."),
    too_many_attempts: |wait| {
        let (count, unit) = in_words(wait, ["segundo", "minuto", "hora"]);
        let plural = if count == 1 { "" } else { "s" };
        format!("Demasiados intentos. Espere {count} {unit}{plural} y vuelva a intentarlo.")
    },
    try_again_later: text("Ahora mismo no se puede iniciar sesión. Vuelva a intentarlo en unos momentos."),
    question: text("Un paso más"),
    signing_in_as: text("Inicio de sesión como {account}"),
    go_on: text("Continuar"),
    answer_missing: text("Dé una respuesta."),
    answer_wrong: text("No es correcto."),
    consent: text("¿Permitir el acceso?"),
    wants_access: text("{client} solicita acceso a su cuenta {account}"),
    calls_itself: text("Se llama a sí misma {name}"),
    unverified: text("Esta aplicación se registró a sí misma: su nombre no está verificado"),
    on_this_device: text("Dice que se ejecuta en su dispositivo: permítalo solo si acaba de iniciarla en él"),
    allow: text("Permitir"),
    deny: text("Rechazar"),
    device: text("Iniciar sesión en un dispositivo"),
    enter_code: text("Introduzca el código que muestra su dispositivo"),
    compare_code: text("¿Muestra su dispositivo exactamente este código?"),
    user_code: text("Código del dispositivo"),
    code_wrong: text(
        "Ningún dispositivo espera con este código. Compárelo otra vez, o haga que el dispositivo muestre uno nuevo.",
    ),
    for_device: text("Lo pide el dispositivo que muestra {code}"),
    device_shows: text("Su dispositivo debe mostrar este código"),
    device_asked: text("Pedido a las {time} UTC desde {address}"),
    device_warning: text(
        "Permítalo solo si acaba de empezarlo usted mismo. Quien le haya enviado aquí o dado el código entraría en su cuenta.",
    ),
    device_allowed: text("Su dispositivo puede continuar"),
    device_denied: text("No se ha permitido nada"),
    back_to_device: text("Vuelva a su dispositivo. Puede cerrar esta ventana."),
    sign_out: text("Cerrar sesión"),
    sign_out_question: text("¿Cerrar sesión?"),
    stay: text("Seguir conectado"),
    stayed: text("Su sesión sigue iniciada"),
    sent_here: text("Una aplicación le ha enviado aquí."),
    signed_in_as: text(
        "Ha iniciado sesión como {account}. También se cerrará la sesión en las aplicaciones que abrió con \
             esta cuenta.",
    ),
    signed_out: text("Ha cerrado la sesión"),
    close_window: text("Puede cerrar esta ventana."),
    cannot_go_on: text("Este inicio de sesión no puede continuar"),
    cannot_sign_out: text("No se ha podido cerrar la sesión"),
    went_wrong: text("Algo ha fallado"),
    request_unusable: text(
        "La aplicación ha enviado algo a lo que no se puede responder. Vuelva a ella e inténtelo de nuevo. \
             Si sigue fallando, avise a sus responsables.",
    ),
    server_failed: text("El error es nuestro, no suyo. Vuelva a intentarlo más tarde."),
    busy: text("Algo no responde en este momento. Vuelva a intentarlo en unos momentos."),
    page_expired: text("Esta página es demasiado antigua. Vuelva a la aplicación y empiece de nuevo."),
    page_used: text("Esta página ya se envió antes. Vuelva a la aplicación y empiece de nuevo."),
    other_browser: text(
        "Este inicio de sesión empezó en otro navegador, o el suyo no guarda cookies. Permita las cookies, \
             vuelva a la aplicación y empiece de nuevo.",
    ),
    other_site: text("Una página de otro sitio envió este formulario. Vuelva a la aplicación y empiece de nuevo."),
    signed_out_since: text("Su sesión se ha cerrado entretanto. Vuelva a la aplicación y empiece de nuevo."),
    account_unusable: text("Con esta cuenta no se puede iniciar sesión. Consulte a los responsables de este servicio."),
    not_allowed: text("No se ha permitido nada. Puede cerrar esta ventana."),
    application_unknown: text(
        "Lo que la aplicación dice de sí misma no se puede usar, así que no se sabe quién pregunta. No se ha permitido nada. Avise a los responsables de la aplicación.",
    ),
    application_away: text(
        "En este momento no se sabe quién pregunta. No se ha permitido nada. Vuelva a la aplicación e inténtelo de nuevo dentro de un rato.",
    ),
    back_to: text("Volver a {client}"),
    sign_in_first: text("No ha iniciado sesión aquí. Abra una aplicación, inicie sesión y vuelva."),
    page_not_shown: text("No se puede mostrar esta página"),
    not_for_account: text("La cuenta con la que ha iniciado sesión no puede ver esta página."),
    not_taken: text(
        "Ya no tiene una sesión iniciada, así que no se aceptó lo que envió. Inicie sesión y envíelo de nuevo.",
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
