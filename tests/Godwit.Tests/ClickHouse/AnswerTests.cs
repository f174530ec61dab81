using System.Net;
using System.Text;
using Godwit.ClickHouse;
using Shouldly;
using Xunit;

namespace Godwit.Tests.ClickHouse;

/// <summary>Answers that a real server gives seldom, played by a handler.</summary>
public class AnswerTests
{
    private const string Header = "x\nString\n";
    private const string OldError = "Code: 395, e.displayText() = DB::Exception: Stop, e.what() = DB::Exception\n";

    [Theory]
    [InlineData("a\nb\n\r\n__exception__\r\nword\r\nCode: 395. DB::Exception: Stop (X_Y_Z) (version 26.7.2.1)\n55 word\r\n__exception__\r\n", 2)]
    [InlineData("a\nhal\r\n__exception__\r\nword\r\nCode: 395. DB::Exception: Stop (X_Y_Z) (version 26.7.2.1)\n55 word\r\n__exception__\r\n", 1)]
    [InlineData("\r\n__exception__\r\nword\r\nCode: 395. DB::Exception: Stop (X_Y_Z) (version 26.7.2.1)", 0)]
    public async Task A_framed_exception_ends_a_stream(string body, int rows)
    {
        var (read, e) = await ReadAsync(Header + body, tag: "word");
        read.Count.ShouldBe(rows);
        e.ShouldBeOfType<ClickHouseException>().Code.ShouldBe(395);
        ((ClickHouseException)e).ServerMessage.ShouldBe("Stop");
    }

    [Theory]
    [InlineData(Header + "a\n" + OldError, 1)]
    [InlineData(OldError, 0)]
    [InlineData(Header + "a\nCode: 395, e.displayText() = DB::Exception: Log:\n\nCode: 210, e.displayText() = DB::NetException: no, "
        + "e.what() = DB::NetException\n\n, e.what() = DB::Exception\n", 1)]
    [InlineData(Header + "Code: 1, e.displayText() = DB::Exception: value, e.what() = DB::Exception\n" + OldError, 1)]
    public async Task A_bare_exception_ends_a_stream(string body, int rows)
    {
        var (read, e) = await ReadAsync(body, tag: null);
        read.Count.ShouldBe(rows);
        e.ShouldBeOfType<ClickHouseException>().Code.ShouldBe(395);
    }

    [Fact]
    public async Task Lines_that_only_begin_like_an_exception_are_rows()
    {
        var (read, e) = await ReadAsync(Header + "Code: 5, e.displayText() = DB::Exception: cut\nb\nc\n", tag: null);
        e.ShouldBeNull();
        read.ShouldBe(["Code: 5, e.displayText() = DB::Exception: cut", "b", "c"]);
    }

    [Fact]
    public async Task Lines_that_end_in_carriage_returns_are_rows()
    {
        var (read, e) = await ReadAsync("x\r\nString\r\na\r\n\r\n__exception\r\n", tag: "word");
        e.ShouldBeNull();
        read.ShouldBe(["a", "", "__exception"]);
    }

    [Theory]
    [InlineData("x\nString\na\nb", "cut off")]
    [InlineData("x\ty\nString\na\n", "do not match")]
    [InlineData("x\ty\nString\tString\na\tb\n\n1\t2\n", "WITH TOTALS")]
    [InlineData("x\ty\nString\tString\na\tb\tc\n", "3 fields for 2 columns")]
    public async Task A_body_that_is_no_result_is_never_a_short_one(string body, string problem)
    {
        var (_, e) = await ReadAsync(body, tag: null);
        e.ShouldBeOfType<ClickHouseException>().Message.ShouldContain(problem);
    }

    [Fact]
    public async Task Something_else_that_says_200_is_not_believed()
    {
        var e = await FailAsync(HttpStatusCode.OK, "<html>Welcome</html>", isClickHouse: false);
        e.Message.ShouldContain("not as a ClickHouse server");
        e.ShouldNotBeOfType<ClickHouseUnreachableException>();
    }

    [Fact]
    public async Task A_proxy_without_its_server_is_an_unknown_outcome()
    {
        var e = await FailAsync(HttpStatusCode.BadGateway, "<html>502 hush</html>", isClickHouse: false);
        e.ShouldBeOfType<ClickHouseUnreachableException>().MayHaveRun.ShouldBeTrue();
        e.IsTransient.ShouldBeTrue();
        e.ToString().ShouldNotContain("hush");
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized)]
    [InlineData(HttpStatusCode.Forbidden)]
    public async Task A_refusal_without_a_code_is_still_a_login_refusal(HttpStatusCode status)
        => (await FailAsync(status, "no", isClickHouse: false)).Message
            .ShouldBe("User me was refused by host:1: check --user and the password (code 516).");

    [Fact]
    public async Task User_and_password_travel_in_headers_and_the_statement_in_the_body()
    {
        string? url = null, sent = null, key = null;
        using var handler = new Played(async request =>
        {
            url = request.RequestUri!.ToString();
            key = request.Headers.GetValues("X-ClickHouse-Key").Single();
            sent = await request.Content!.ReadAsStringAsync();
            return Respond("", tag: null);
        });
        using var gateway = Gateway(handler);
        await gateway.InsertAsync("INSERT INTO t FORMAT TabSeparated\n", "1\n", new QueryOptions { Database = "a&b", QueryId = "q" }, TestContext.Current.CancellationToken);
        url.ShouldBe("http://host:1/?default_format=TabSeparatedWithNamesAndTypes&wait_end_of_query=1&query_id=q&database=a%26b");
        key.ShouldBe("hush");
        sent.ShouldBe("INSERT INTO t FORMAT TabSeparated\n1\n");
    }

    private static async Task<(List<string> Rows, Exception? Error)> ReadAsync(string body, string? tag)
    {
        using var handler = new Played(_ => Task.FromResult(Respond(body, tag)));
        using var gateway = Gateway(handler);
        var rows = new List<string>();
        var error = await Record.ExceptionAsync(async () =>
        {
            await foreach (var row in gateway.StreamAsync("SELECT x"))
            {
                rows.Add(row["x"]);
            }
        });
        return (rows, error);
    }

    private static async Task<ClickHouseException> FailAsync(HttpStatusCode status, string body, bool isClickHouse)
    {
        using var handler = new Played(async request =>
        {
            await request.Content!.ReadAsStringAsync(); // as a network would
            var response = Respond(body, tag: null);
            response.StatusCode = status;
            if (!isClickHouse)
            {
                response.Headers.Clear();
            }

            return response;
        });
        using var gateway = Gateway(handler);
        return await Should.ThrowAsync<ClickHouseException>(() => gateway.ExecuteAsync("SELECT 1"));
    }

    private static ClickHouseGateway Gateway(HttpMessageHandler handler)
        => new(new ClickHouseOptions { Url = new Uri("http://host:1/"), User = "me", Password = new Secret("hush") }, handler);

    private static HttpResponseMessage Respond(string body, string? tag)
    {
        var response = new HttpResponseMessage { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        response.Headers.Add("X-ClickHouse-Server-Display-Name", "played");
        if (tag is not null)
        {
            response.Headers.Add("X-ClickHouse-Exception-Tag", tag);
        }

        return response;
    }

    private sealed class Played(Func<HttpRequestMessage, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => answer(request);
    }
}
