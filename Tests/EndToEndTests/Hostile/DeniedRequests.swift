// Requests that can be read in one way and are denied all the same: by route, method, media type, and the rules for
// bodies. Relies on the frames of HostileRequest. The connection may live on; nothing may reach the upstream.

enum DeniedRequests {
    static let all = [
        HostileTable("routes and methods", routes), HostileTable("media types", types),
        HostileTable("bodies that are not one object", bodies),
    ]

    private static let routes =
        rows(
            .denied(404),
            [
                "/", "/x", "/ap", "/apix", "/api-x", "/API/x", "/Api/x", "/admin", "/api;x/y", "/api.", "/api%20/x",
                "/?/api/x",
                "/x/api/x", "/api,/x", "/api:80/x", "/api~/x", "/%C3%A4", "http://gateway/admin",
            ], withTarget)
        // The plain spelling of these would take the route.
        + rows(.denied(400), ["/%61pi/x", "/ap%69/x", "/%61%70%69/x", "/%61pi"], withTarget)
        + rows(.denied(405), ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"]) { withLine("\($0) /only-post HTTP/1.1") }

    private static let types =
        rows(
            .denied(415),
            [
                "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                "application/jsonx", "xapplication/json", "application/json; charset=latin-1",
                "application/json; charset=utf-16",
                "application/json, text/plain", "application/json; q=1", "application", "json", "text/json", "*/*",
                "application/json;", "application /json", "\"application/json\"", "application/json; charset=",
            ]
        ) { withFields("Content-Type: \($0)") }
        + rows(.denied(415), ["br", "compress", "zstd", "x", "gzip, br", "br, gzip", "aes128gcm"]) {
            withFields("Content-Encoding: \($0)")
        }

    private static let bodies = rows(
        .denied(400),
        [
            " ", "null", "true", "0", "[]", "[{}]", "\"text\"", "{", "}", "{}}", "{}{}", "{} {}", "{},", "{}\u{0}",
            "\u{0}{}",
            "\u{EF}\u{BB}\u{BF}{}", "\u{FE}\u{FF}\u{0}{\u{0}}", "{\u{0}}\u{0}", "{'a':1}", "{a:1}", "{\"a\":1,}",
            "{,\"a\":1}",
            "{\"a\" 1}", "{\"a\":}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":.1}", "{\"a\":1.}", "{\"a\":1e}",
            "{\"a\":0x1}",
            "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":-}", "{\"a\":tru}", "{\"a\":True}", "{\"a\":\"\n\"}",
            "{\"a\":\"\u{0}\"}",
            "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\uD800\"}", "{\"a\":\"\\uDC00\\uD800\"}",
            "{\"a\":\"\u{FF}\"}",
            "{\"a\":\"\u{C0}\u{80}\"}", "{\"a\":\"\u{ED}\u{A0}\u{80}\"}", "{\"a\":\"\u{F4}\u{90}\u{80}\u{80}\"}",
            "{\"a\":1}//c", "/**/{}", "#\n{}", "{\"a\":1;\"b\":2}", "{\"a\":\"b}", "{\"a\":1", "{\"a\":[1}",
            "{\"a\":[1,]}",
            "{\"a\":" + run("[", 20) + run("]", 20) + "}", run("{\"a\":", 17) + "1" + run("}", 17), run("[", 4_000),
            "{\"api_key\":\"a\",\"api_key\":\"b\"}", "{\"api_key\":\"a\",\"api\\u005fkey\":\"b\"}",
            "<a/>", "a=b", "--x\r\n\r\n--x--", "GET /api/smuggled HTTP/1.1\r\nHost: gateway\r\n\r\n",
            "0\r\n\r\nGET /api/smuggled HTTP/1.1\r\nHost: gateway\r\n\r\n",
        ]
    ) { withFields("Content-Type: application/json").replacingBody($0) }
}

extension String {
    /// The same request with another body, and its length.
    fileprivate func replacingBody(_ body: String) -> String {
        replacing("Content-Length: 2\r\n\r\n{}", with: "Content-Length: \(body.unicodeScalars.count)\r\n\r\n\(body)")
    }
}
