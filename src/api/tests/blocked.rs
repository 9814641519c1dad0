//! A service that answered, and with which no connection comes about any more.

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::*;

/// Accepts nothing any more, so that the system drops whoever wants to connect.
async fn shut(listener: &TcpListener) -> Vec<TcpStream> {
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) =
        tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
    {
        queue.push(stream.unwrap());
        assert!(queue.len() < 100, "this system drops nobody");
    }
    queue
}

async fn answer(listener: &TcpListener) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = [0; 4096];
    assert!(stream.read(&mut request).await.unwrap() > 0);
    let body = "{\"totalResults\":0,\"entry\":[]}";
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}", body.len());
    stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
}

#[test]
fn a_connection_that_does_not_come_about_after_good_answers_is_perhaps_a_block() {
    let said = |answers: bool| {
        wait(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let mut listener = socket.listen(1).unwrap();
            let origin = format!("http://{}", listener.local_addr().unwrap());
            let timeout = Duration::from_millis(400);
            let client = Client::new(Settings { timeout, ..settings(&origin) }).unwrap();
            let extension = number("210");
            let mut trace = Vec::new();
            if answers {
                let mut server = JoinSet::new();
                server.spawn(async move {
                    answer(&listener).await;
                    listener
                });
                let listed = client.events(&extension, &mut trace).await;
                assert!(listed.is_ok(), "{listed:?}");
                listener = server.join_next().await.unwrap().unwrap();
            }
            let _queue = shut(&listener).await;
            client.events(&extension, &mut trace).await.unwrap_err()
        })
    };
    let blocked = said(true);
    assert_eq!(blocked.cause, Cause::Blocked, "{blocked}");
    assert!(blocked.to_string().starts_with("perhaps blocked: no connection to 127.0.0.1"));
    assert!(!blocked.is_worth_repeating() && !blocked.may_have_acted());
    let gone = said(false);
    assert_eq!(gone.cause, Cause::Unreachable, "{gone}");
}
