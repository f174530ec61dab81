using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Microsoft.Data.Sqlite;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>Wrong and hostile input is refused, leaves nothing behind, and the process lives.</summary>
public sealed class HostileInputTests(RealEngine engine) : IAsyncLifetime
{
    private const string Json = "Content-Type: application/json";
    private ServerFixture _server = null!;
    private string _table = "";
    private string _viewer = "";
    private string _operator = "";
    private string _admin = "";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await ServerFixture.StartAsync(engine.Engine, new ServerSetup { RunsWorker = false });
        _table = await TableOfEvents.MakeAsync(engine.Engine);
        (_viewer, _operator, _admin) = (await _server.TokenAsync(Role.Viewer), await _server.TokenAsync(Role.Operator), await _server.TokenAsync(Role.Admin));
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Each_of_a_table_of_them_is_refused_and_nothing_is_stored_or_run()
    {
        var before = await EverythingAsync();
        List<string> wrong = [];
        foreach (var (name, status, request) in Bodies().Concat(Texts()).Concat(Paths()).Concat(Headers()).Concat(await CallersAsync()).Concat(Wires()))
        {
            var answer = await RawHttp.SendAsync(_server.Url, request);
            if (RawHttp.StatusOf(answer) != status || answer.Contains("<script>alert", StringComparison.Ordinal) && !answer.Contains("application/problem+json", StringComparison.Ordinal))
            {
                wrong.Add($"{name}: expected {status}, got {answer[..Math.Min(40, answer.Length)]} {answer[Math.Max(0, answer.Length - 300)..]}");
            }
        }

        wrong.ShouldBeEmpty();
        (await EverythingAsync()).ShouldBe(before);
        (await TableOfEvents.SortingKeyAsync(engine.Engine, _table)).ShouldBe("id");
        using var api = await ApiCaller.OfAsync(_server, Role.Viewer);
        (await api.GetAsync("/whoami")).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Slow_clients_hold_nothing_and_are_cut_off()
    {
        var slow = Enumerable.Range(0, 60).Select(_ => new TcpClient()).ToList();
        foreach (var (client, i) in slow.Select((c, i) => (c, i)))
        {
            await client.ConnectAsync(_server.Url.Host, _server.Url.Port, Ct);
            var begin = Request("PUT", "/settings/drain", _operator, "{", Json, "Idempotency-Key: k");
            await client.GetStream().WriteAsync(i % 2 == 0 ? begin.AsMemory(0, 40) : Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(begin).Replace("Content-Length: 1", "Content-Length: 1000", StringComparison.Ordinal)), Ct);
        }

        using var api = await ApiCaller.OfAsync(_server, Role.Operator);
        (await api.PutAsync("/settings/drain", new { value = "true" }, "k")).ShouldBe(HttpStatusCode.OK);

        var answers = await Task.WhenAll(slow.Select(c => RawHttp.ReadAsync(c.GetStream())));
        answers.ShouldAllBe(a => a.Length == 0 || RawHttp.StatusOf(a) == 408);
        answers.Count(a => RawHttp.StatusOf(a) == 408).ShouldBeGreaterThan(0);
        (await api.GetAsync("/settings/drain"))["value"].ShouldBe("true");
        slow.ForEach(c => c.Dispose());
    }

    private IEnumerable<(string, int, byte[])> Bodies()
    {
        foreach (var (name, body) in new (string, string)[]
        {
            ("cut off", "{"), ("no value", """{"value":}"""), ("words", "nope"), ("nothing", ""), ("a list", "[]"), ("null", "null"), ("a text", "\"true\""),
            ("a trailing comma", """{"value":"true",}"""), ("a comment", """{"value":"true"/* yes */}"""), ("two documents", """{"value":"true"}{}"""),
            ("twice the same", """{"value":"false","value":"true"}"""), ("another case", """{"Value":"true"}"""), ("an unknown field", """{"value":"true","__proto__":{}}"""),
            ("a number", """{"value":1}"""), ("NaN", """{"value":NaN}"""), ("a null", """{"value":null}"""), ("half a pair", """{"value":"\ud800"}"""), ("half a pair in a name", """{"\ud800":"true"}"""),
            ("U+0000", """{"value":"tr\u0000ue"}"""), ("deep lists", new string('[', 100_000)), ("deep objects", string.Concat(Enumerable.Repeat("""{"value":""", 50_000))),
            ("a byte order mark", "\uFEFF{\"value\":\"true\"}"), ("single quotes", "{'value':'true'}"), ("no value at all", "{}"),
        })
        {
            yield return (name, 400, Request("PUT", "/settings/drain", _operator, body, Json, Key()));
        }

        yield return ("not UTF-8", 400, [.. Request("PUT", "/settings/drain", _operator, "\u00ff\u00fe{}", Json, Key())]);
        yield return ("a number without end", 400, Request("PUT", "/runs/nosuch22/limit", _operator, """{"rowsPerSecond":1e999}""", Json, Key()));
        yield return ("too great a number", 400, Request("PUT", "/runs/nosuch22/limit", _operator, """{"rowsPerSecond":9223372036854775808}""", Json, Key()));
        yield return ("a body where none is read", 400, Request("POST", "/runs/nosuch22/pause", _operator, "{}", Json, Key()));
        yield return ("too large", 413, Request("PUT", "/settings/drain", _operator, $$"""{"value":"{{new string('x', 1 << 20)}}"}""", Json, Key()));
        yield return ("too large, in chunks", 413, Chunked("PUT", "/settings/drain", _operator, new string('x', (1 << 20) + 1)));
        yield return ("a plan too large", 413, Request("POST", "/rebuilds/plan", _operator, new string(' ', (1 << 20) + 1), Json));
        foreach (var type in new[] { "Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded", "Content-Type: multipart/form-data; boundary=x", "Content-Type: application/xml", "X-No: type" })
        {
            yield return (type, 415, Request("PUT", "/settings/drain", _operator, """{"value":"true"}""", type, Key()));
        }
    }

    private IEnumerable<(string, int, byte[])> Texts()
    {
        var script = "<script>alert(1)</script>";
        foreach (var run in new[] { "'; DROP TABLE runs; --", "1 OR 1=1", script, "..", "%", "_", new string('a', 5000), "\u202e", "null", "${jndi:ldap://x}" })
        {
            yield return ($"run {run}", 404, Request("POST", $"/runs/{Uri.EscapeDataString(run)}/pause", _operator, null, Key()));
        }

        foreach (var table in new[] { "x; DROP TABLE y", script, "a.b.c", "a", "'a'.'b'", "a.`b", "" })
        {
            yield return ($"table {table}", 400, Post("/runs", _operator, new { rebuild = new { table, orderBy = "id" } }));
        }

        yield return ("a quoted table that is not there", 409, Post("/runs", _operator, new { rebuild = new { table = "`a'; DROP DATABASE default; --`.`<script>alert(1)</script>`", orderBy = "id" } }));
        foreach (var (expression, status) in new[] { ($"id); DROP TABLE {_table}; --", 400), ($"(id) AS SELECT * FROM {_table}", 409), (script, 409), ("id\n) ENGINE = URL('http://127.0.0.1:1/') --", 400) })
        {
            yield return ($"sorted by {expression}", status, Post("/runs", _operator, new { rebuild = new { table = _table, orderBy = expression } }));
        }

        // The rest of the statement would be theirs: where the copy goes to, and what is written there when it is only planned.
        foreach (var end in new[] { "--", "/*", "COMMENT '", "SETTINGS x = [", "$$'$$ --", "# x" })
        {
            var column = $"id UInt64) ENGINE = URL('http://127.0.0.1:1/', CSV) AS SELECT 1 {end}";
            yield return ($"a column that is {column}", 400, Post("/runs", _operator, new { rebuild = new { table = _table, modifyColumns = new[] { column }, accept = new[] { "key-identity" } } }));
            yield return ($"a new column that is {column}", 400, Post("/runs", _operator, new { rebuild = new { table = _table, addColumns = new[] { $"x UInt8 DEFAULT 1, {column}" }, accept = new[] { "key-identity" } } }));
        }

        foreach (var column in new[] { "x String DEFAULT $$'$$) ENGINE = URL('http://127.0.0.1:1/', CSV) --'", "x String DEFAULT \u2018'\u2019) ENGINE = URL('http://127.0.0.1:1/', CSV) --'" })
        {
            yield return ($"a column whose quotes servers read in another way: {column}", 400, Post("/runs", _operator, new { rebuild = new { table = _table, addColumns = new[] { column } } }));
        }

        yield return ("a definition of something else", 400, Post("/runs", _operator, new { rebuild = new { table = _table, ddl = $"DROP TABLE {_table}" } }));
        yield return ("settings of nobody's", 409, Post("/runs", _operator, new { rebuild = new { table = _table, settings = new[] { $"a=1; DROP TABLE {_table}" } } }));
        yield return ("a hook of SQL by an operator", 403, Post("/runs", _operator, new { rebuild = new { table = _table, orderBy = "a", pauseHook = $"sql:DROP TABLE {_table}", resumeHook = "command:a" } }));
        yield return ("a hook of an address by an operator", 403, Post("/runs", _operator, new { rebuild = new { table = _table, orderBy = "a", pauseHook = "command:a", resumeHook = "env:PATH" } }));
        yield return ("a hook out of its folder", 400, Post("/runs", _admin, new { rebuild = new { table = _table, orderBy = "a", pauseHook = "command:../../bin/sh", resumeHook = "command:a" } }));
        yield return ("a migration", 400, Post("/runs", _operator, new { migration = new { name = script } }));
        yield return ("a user", 400, Post("/users", _admin, new { name = "a'; DROP TABLE users; --", role = "Admin", password = "long enough to be one" }));
        yield return ("a user with a line break", 400, Post("/users", _admin, new { name = "a\n", role = "Admin", password = "long enough to be one" }));
        yield return ("the user of a token", 400, Post("/tokens", _admin, new { user = script, name = "x", role = "Viewer", days = 1 }));
        yield return ("days", 400, Post("/tokens", _admin, new { user = "viewer", name = "x", role = "Viewer", days = int.MaxValue }));
        yield return ("the name of a token", 400, Post("/tokens", _admin, new { user = "viewer", name = "a\u001b[2J\u202e", role = "Viewer", days = 1 }));
        yield return ("a file of the server's", 403, Request("PUT", "/settings/notify", _operator, """{"value":"file:/etc/passwd"}""", Json, Key()));
        yield return ("more than its user may", 400, Post("/tokens", _admin, new { user = "viewer", name = "x", role = "Admin", days = 1 }));
        yield return ("a version", 400, Request("GET", "/upgrade?to=%3Cscript%3Ealert(1)%3C/script%3E", _viewer, null));
        yield return ("a time window", 400, Request("PUT", "/settings/timeWindows", _operator, """{"value":"'; DROP TABLE settings; --"}""", Json, Key()));
        yield return ("a setting", 404, Request("PUT", "/settings/%3Cscript%3Ealert(1)%3C%2Fscript%3E", _operator, """{"value":"1"}""", Json, Key()));
        foreach (var query in new[] { "limit=-1", "limit=0", "limit=1001", "limit=1e3", "limit=", "limit=99999999999999999999", "cursor=%00", "cursor=x", "state=%3Cscript%3Ealert(1)%3C/script%3E", "state=3", "nosuch=1", "limit=1&limit=2", "Limit=1", "=", "a%00b=1" })
        {
            yield return (query, 400, Request("GET", $"/runs?{query}", _viewer, null));
        }
    }

    private IEnumerable<(string, int, byte[])> Paths()
    {
        foreach (var (path, status) in new[]
        {
            ("/api/v1/runs/..%2f..%2fetc%2fpasswd", 404), ("/api/v1/runs/%2e%2e%2f%2e%2e%2fusers", 404), ("/api/v1/settings/..%5c..%5cstate.db", 404), ("/api/v1/runs/..;/users", 404),
            ("/api/v1/runs/%252e%252e", 404), ("/api/v1/runs/%00", 400), ("/api/v1/%2e%2e/%2e%2e/api/v1/users", 403), ("/api/v1/nosuch", 404), ("/api/v2/runs", 404), ("/api", 404), ("/api/v1/users/..%2frole", 403),
            ("/api/v1/runs/x/../../users", 403), ("/API/V1/USERS", 403), ("/api/v1//users", 404), ("/api/v1/runs/%C0%AE%C0%AE", 404), ("/api/v1/openapi.json/..%2fusers", 404), ("/api/nosuch/openapi.json", 404),
        })
        {
            yield return (path, status, Bare("GET", path, "Host: localhost", $"Authorization: Bearer {_viewer}"));
        }

        yield return ("no slash", 400, Bare("GET", "api/v1/runs", "Host: localhost", $"Authorization: Bearer {_viewer}"));
        yield return ("too long", 414, Bare("GET", $"/api/v1/runs/{new string('x', 9000)}", "Host: localhost", $"Authorization: Bearer {_viewer}"));
        foreach (var method in new[] { "PATCH", "DELETE", "TRACE", "FOO", "HEAD", "OPTIONS" })
        {
            yield return (method, 405, Bare(method, "/api/v1/runs", "Host: localhost", $"Authorization: Bearer {_operator}"));
        }
    }

    private IEnumerable<(string, int, byte[])> Headers()
    {
        const string Drain = """{"value":"true"}""";
        byte[] Put(params string[] headers) => Request("PUT", "/settings/drain", _operator, Drain, [Json, .. headers]);
        yield return ("no key", 400, Put());
        foreach (var (name, key) in new[] { ("empty", ""), ("blank", "   "), ("too long", new string('k', 201)), ("not ASCII", "schl\u00fcssel"), ("a control character", "a\u0001b"), ("a tab", "a\tb"), ("a NUL", "a\0b"), ("a carriage return", "a\rb") })
        {
            yield return ($"a key that is {name}", 400, Put($"Idempotency-Key: {key}"));
        }

        yield return ("two keys", 400, Put(Key(), Key()));
        yield return ("a header of the caller's in the key", 401, Request("PUT", "/settings/drain", null, Drain, Json, $"Idempotency-Key: x\r\nX-User: admin\r\nX-Role: Admin"));
        foreach (var origin in new[] { "Origin: https://evil.example", "Origin: null", "Origin: http://localhost.evil.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site" })
        {
            yield return (origin, 403, Put(Key(), origin));
        }

        foreach (var (host, status) in new[] { ("Host: evil.example", 421), ("Host: localhost.evil.example", 421), ("Host: evil.example:80@localhost", 400), ("Host: ", 421), ("Host: a b", 400), ("Host: localhost\r\nHost: evil.example", 400), ("X-No: host", 400) })
        {
            yield return (host, status, Bare("GET", "/api/v1/runs", host, $"Authorization: Bearer {_operator}"));
        }

        yield return ("X-Forwarded-Host", 421, Bare("GET", "/api/v1/runs", "Host: evil.example", "X-Forwarded-Host: localhost", $"Authorization: Bearer {_operator}"));
        yield return ("another host in the target", 400, Bare("GET", "http://evil.example/api/v1/runs", "Host: localhost", $"Authorization: Bearer {_operator}"));
        yield return ("large headers", 431, Bare("GET", "/api/v1/runs", "Host: localhost", $"X-Large: {new string('x', 40_000)}"));
        yield return ("many headers", 431, Bare("GET", "/api/v1/runs", ["Host: localhost", .. Enumerable.Range(0, 200).Select(i => $"X-{i}: 1")]));
    }

    private async Task<IEnumerable<(string, int, byte[])>> CallersAsync()
    {
        var parts = _admin.Split('_');
        var expired = new string('e', 12);
        var secret = new string('5', 48);
        await _server.AccountStore.AddTokenAsync(new TokenRecord(expired, Tokens.Hash(secret), "expired", "admin", Role.Admin, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(1)), Ct);
        await _server.AccountStore.RemoveTokenAsync("nosuch", Ct);
        await using var foreign = await ServerFixture.StartAsync(engine.Engine, new ServerSetup { RunsWorker = false });
        var cookie = await _server.CookieAsync(Role.Admin);
        List<string> callers =
        [
            "X-No: token", "Authorization: Bearer", "Authorization: Bearer ", $"Authorization: {_admin}", $"Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{ServerFixture.Password}"))}",
            $"Authorization: Bearer godwit_{expired}_{secret}", $"Authorization: Bearer {await foreign.TokenAsync(Role.Admin)}", $"Authorization: Bearer {_admin[..^1]}", $"Authorization: Bearer {_admin}0", $"Authorization: Bearer {_admin.ToUpperInvariant()}",
            $"Authorization: Bearer godwit_{parts[1]}_{new string('0', 48)}", $"Authorization: Bearer godwit_{parts[1]}_", "Authorization: Bearer godwit_' OR 1=1 --_x", $"Authorization: Bearer {new string('a', 20_000)}",
            $"Authorization: Bearer {_admin}\r\nAuthorization: Bearer {_admin}", $"Cookie: {cookie}", $"Cookie: godwit_session={_admin}", "Cookie: godwit_session=forged", $"X-Api-Key: {_admin}",
        ];
        return callers.SelectMany(c => new[]
        {
            ($"GET as {c}", 401, Bare("GET", "/api/v1/users", "Host: localhost", c)),
            ($"PUT as {c}", 401, Whole("PUT", "/api/v1/settings/drain", """{"value":"true"}""", "Host: localhost", c, Json, Key())),
        }).Append(("a token behind the question mark", 401, Bare("GET", $"/api/v1/users?access_token={_admin}", "Host: localhost")))
        .Append(("a forged cookie", 401, Bare("GET", "/api/v1/openapi.json", "Host: localhost", "Cookie: godwit_session=CfDJ8forged")));
    }

    private IEnumerable<(string, int, byte[])> Wires()
    {
        yield return ("TLS where there is none", 400, [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03, 0x0d, 0x0a, 0x0d, 0x0a]);
        yield return ("HTTP/0.9", 400, Encoding.Latin1.GetBytes("GET /api/v1/runs\r\n\r\n"));
        yield return ("HTTP/9.9", 505, Encoding.Latin1.GetBytes("GET /api/v1/runs HTTP/9.9\r\nHost: localhost\r\n\r\n"));
        yield return ("no such length", 400, Bare("PUT", "/api/v1/settings/drain", "Host: localhost", $"Authorization: Bearer {_operator}", Json, Key(), "Content-Length: -1"));
        yield return ("two lengths", 400, Bare("PUT", "/api/v1/settings/drain", "Host: localhost", $"Authorization: Bearer {_operator}", Json, Key(), "Content-Length: 1", "Content-Length: 2"));
        yield return ("chunks that are none", 400, [.. Bare("PUT", "/api/v1/settings/drain", "Host: localhost", $"Authorization: Bearer {_operator}", Json, Key(), "Transfer-Encoding: chunked"), .. Encoding.Latin1.GetBytes("zz\r\n{}\r\n0\r\n\r\n")]);
        yield return ("another coding", 400, Bare("PUT", "/api/v1/settings/drain", "Host: localhost", $"Authorization: Bearer {_operator}", Json, Key(), "Transfer-Encoding: gzip"));
        yield return ("a folded header", 400, Bare("GET", "/api/v1/runs", "Host: localhost", "X-A: 1\r\n folded"));
        yield return ("a header without a colon", 400, Bare("GET", "/api/v1/runs", "Host: localhost", "nonsense"));
    }

    private static string Key() => $"Idempotency-Key: {Guid.NewGuid()}";

    private static byte[] Post(string path, string token, object body) => Request("POST", path, token, System.Text.Json.JsonSerializer.Serialize(body), Json, Key());

    private static byte[] Request(string method, string path, string? token, string? body, params string[] headers) =>
        Whole(method, $"/api/v1{path}", body, ["Host: localhost", .. token is null ? Array.Empty<string>() : [$"Authorization: Bearer {token}"], .. headers]);

    private static byte[] Bare(string method, string target, params string[] headers) => Whole(method, target, null, headers);

    // Texts that are not ASCII go out as UTF-8 in bodies, and byte by byte in headers.
    private static byte[] Whole(string method, string target, string? body, params string[] headers)
    {
        var bytes = body is null ? [] : body.StartsWith('\u00ff') ? Encoding.Latin1.GetBytes(body) : Encoding.UTF8.GetBytes(body);
        string[] length = body is null ? [] : [$"Content-Length: {bytes.Length.ToString(CultureInfo.InvariantCulture)}"];
        return [.. Encoding.Latin1.GetBytes($"{method} {target} HTTP/1.1\r\n{string.Concat(headers.Concat(length).Append("Connection: close").Select(h => $"{h}\r\n"))}\r\n"), .. bytes];
    }

    private static byte[] Chunked(string method, string path, string token, string body) =>
    [
        .. Bare(method, $"/api/v1{path}", "Host: localhost", $"Authorization: Bearer {token}", Json, Key(), "Transfer-Encoding: chunked"),
        .. Encoding.Latin1.GetBytes($"{body.Length:x}\r\n{body}\r\n0\r\n\r\n"),
    ];

    /// <summary>All that is kept, but for what notes refusals and log-ins.</summary>
    private async Task<IReadOnlyList<string>> EverythingAsync()
    {
        List<string> all = [];
        await using var connection = new SqliteConnection($"Data Source={_server.State};Mode=ReadOnly");
        await connection.OpenAsync(Ct);
        foreach (var query in new[]
        {
            "SELECT run_id FROM runs", "SELECT name || '=' || value FROM settings", "SELECT action || ' ' || subject FROM audit WHERE action NOT LIKE '%refused' AND action NOT LIKE 'login%'", "SELECT name || role FROM users", "SELECT name FROM tokens WHERE name <> 'expired'",
            "SELECT who || ' ' || key FROM answers", "SELECT run_id || request FROM requests", "SELECT run_id FROM limits",
        })
        {
            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The queries stand above.
            command.CommandText = query;
#pragma warning restore CA2100
            await using var reader = await command.ExecuteReaderAsync(Ct);
            while (await reader.ReadAsync(Ct))
            {
                all.Add($"{query}: {reader.GetString(0)}");
            }
        }

        return all;
    }
}
