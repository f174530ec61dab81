using System.Net;
using System.Text.RegularExpressions;
using Godwit.Metadata.Accounts;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests;

/// <summary>Logs somebody in as a browser does: by the form on the page.</summary>
internal static partial class SessionCookie
{
    /// <summary>The cookies of somebody who is logged in, as a browser sends them.</summary>
    public static async Task<string> OfAsync(ServerFixture server, Role role)
    {
        var ct = TestContext.Current.CancellationToken;
        await server.UserAsync(role);
        using var browser = server.Client();
        using var page = await browser.GetAsync(new Uri("/login", UriKind.Relative), ct);
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        var form = Fields().Matches(await page.Content.ReadAsStringAsync(ct)).ToDictionary(m => m.Groups["name"].Value, m => WebUtility.HtmlDecode(m.Groups["value"].Value), StringComparer.Ordinal);
        form["Form.Name"] = ServerFixture.NameOf(role);
        form["Form.Password"] = ServerFixture.Password;
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/login", UriKind.Relative)) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Add("Cookie", CookiesOf(page));
        using var answer = await browser.SendAsync(request, ct);
        answer.StatusCode.ShouldBe(HttpStatusCode.Redirect, await answer.Content.ReadAsStringAsync(ct));
        return CookiesOf(answer);
    }

    private static string CookiesOf(HttpResponseMessage answer) =>
        string.Join("; ", answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies.Select(c => c.Split(';')[0]) : []);

    [GeneratedRegex("""<input type="hidden" name="(?<name>[^"]+)" value="(?<value>[^"]*)""")]
    private static partial Regex Fields();
}
