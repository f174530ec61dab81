using System.Net;
using Godwit.ClickHouse;
using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Access;

/// <summary>The way to an identity provider and back, and what is believed of it.</summary>
public sealed class OpenIdWayTests : OpenIdScene
{
    private const string Refused = "/login?problem=openid";

    public static TheoryData<string> Lies => ["nonce", "no nonce", "audience", "party", "issuer", "expired", "no end", "not yet", "nobody", "none", "HS256", "foreign", "words"];

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task An_ID_token_that_is_not_theProviders_word_for_this_login_is_not_believed(string lie)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Provider.Signature = lie is "none" or "HS256" or "foreign" ? lie : "RS256";
        Provider.Twist = lie switch
        {
            "nonce" => c => c["nonce"] = new string('0', 64),
            "no nonce" => c => c.Remove("nonce"),
            "audience" => c => c["aud"] = "another-client",
            "party" => c => (c["aud"], c["azp"]) = (new[] { FakeProvider.ClientId, "another-client" }, "another-client"),
            "issuer" => c => c["iss"] = "https://evil.example",
            "expired" => c => c["exp"] = now - 120,
            "no end" => c => c.Remove("exp"),
            "not yet" => c => c["nbf"] = now + 600,
            "nobody" => c => c["sub"] = "",
            "words" => c => c["exp"] = "soon",
            _ => null,
        };
        using var browser = Site.NewVisitor();

        (await LoginAsync(browser)).Location.ShouldBe(Refused);

        Provider.Redeemed.ShouldBe(1);
        (await Site.Accounts.ListAsync(Ct)).ShouldBeEmpty();
        browser.Cookie("godwit_session").ShouldBeNull();
    }

    [Fact]
    public async Task A_way_back_is_good_once()
    {
        using var browser = Site.NewVisitor();
        var back = await GoAsync(browser, "/login/openid");
        var cookies = browser.CookieNames.ToDictionary(n => n, n => browser.Cookie(n)!);
        (await browser.GetAsync(back)).Location.ShouldBe("/");

        (await browser.GetAsync(back)).Location.ShouldBe(Refused);

        // Nor is it for somebody who has kept the cookie: the provider's code is used.
        using var copy = Site.NewVisitor();
        cookies.ToList().ForEach(c => copy.SetCookie(c.Key, c.Value));
        (await copy.GetAsync(back)).Location.ShouldBe(Refused);
        copy.Cookie("godwit_session").ShouldBeNull();
    }

    [Fact]
    public async Task Nobody_comes_back_who_did_not_set_out_in_this_browser()
    {
        using var mallory = Site.NewVisitor();
        var back = await GoAsync(mallory, "/login/openid");
        using var victim = Site.NewVisitor();
        (await victim.GetAsync(back)).Location.ShouldBe(Refused);

        // Neither with a way of his own under another's state.
        await GoAsync(victim, "/login/openid");
        (await victim.GetAsync(back)).Location.ShouldBe(Refused);
        var forged = victim.CookieNames.First(n => n.StartsWith("godwit_openid", StringComparison.Ordinal));
        var state = back[(back.IndexOf("state=", StringComparison.Ordinal) + 6)..];
        victim.SetCookie($"godwit_openid_{state[..8]}", victim.Cookie(forged)!);
        (await victim.GetAsync(back)).Location.ShouldBe(Refused);
        victim.SetCookie($"godwit_openid_{state[..8]}", "forged");
        (await victim.GetAsync(back)).Location.ShouldBe(Refused);
        Provider.Tried.ShouldBe(0);
    }

    [Fact]
    public async Task Whoever_takes_too_long_has_to_set_out_again()
    {
        using var browser = Site.NewVisitor();
        var back = await GoAsync(browser, "/login/openid");
        Site.Clock.Advance(TimeSpan.FromMinutes(16));

        (await browser.GetAsync(back)).Location.ShouldBe(Refused);
        Provider.Tried.ShouldBe(0);
    }

    [Theory]
    [InlineData("/login/openid/callback")]
    [InlineData("/login/openid/callback?error=access_denied&state=x")]
    [InlineData("/login/openid/callback?code=x&state=%3Cscript%3E%3B%0d%0a")]
    public async Task Whatever_else_comes_to_the_way_back_is_refused(string path)
    {
        using var browser = Site.NewVisitor();
        (await browser.GetAsync(path)).Location.ShouldBe(Refused);
    }

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("https://evil.example/")]
    public async Task The_way_back_leads_to_no_otherSite(string next)
    {
        using var browser = Site.NewVisitor();
        (await LoginAsync(browser, $"/login/openid?next={Uri.EscapeDataString(next)}")).Location.ShouldBe("/");
    }

    [Fact]
    public async Task Ways_back_are_throttled_as_passwords_are()
    {
        using var browser = Site.NewVisitor();
        for (var i = 0; i < LoginThrottle.Most; i++)
        {
            (await browser.GetAsync("/login/openid/callback?code=x&state=y")).Location.ShouldBe(Refused);
        }

        (await LoginAsync(browser)).Location.ShouldBe("/login?problem=many");
    }

    [Fact]
    public async Task AProvider_that_changes_its_keys_is_believed_by_the_new_ones()
    {
        using var browser = Site.NewVisitor();
        await LoginAsync(browser);
        Provider.Rotate();
        Site.Clock.Advance(TimeSpan.FromMinutes(1));
        using var other = Site.NewVisitor();

        (await LoginAsync(other)).Location.ShouldBe("/");
    }

    [Fact]
    public async Task AProvider_that_is_away_or_another_one_keeps_nobody_from_logging_in_by_password()
    {
        await using var site = await Site.StartAsync(o => o with { OpenId = Options(o).OpenId! with { Authority = new Uri("http://127.0.0.1:9") } });
        await site.AddAsync("ada", Role.Viewer);
        using var browser = site.NewVisitor();
        (await browser.GetAsync("/login/openid")).Location.ShouldBe("/login?problem=openid-away");
        (await browser.GetAsync("/login?problem=openid-away")).Text.ShouldContain("does not answer");
        (await LoginTests.LoginAsync(browser, "ada", Site.Password)).Location.ShouldBe("/");
        site.Log.ShouldContain(l => l.StartsWith("Error: The identity provider http://127.0.0.1:9/", StringComparison.Ordinal));

        Provider.IssuerSaid = "https://login.example.com";
        using var other = Site.NewVisitor();
        (await other.GetAsync("/login/openid")).Location.ShouldBe("/login?problem=openid-away");
    }

    [Fact]
    public async Task Behind_a_proxy_theProvider_is_told_the_address_that_browsers_know()
    {
        await using var site = await Site.StartAsync(o => Options(o) with { Proxy = IPAddress.Loopback, Hosts = ["godwit.example.com"] });
        using var browser = site.NewVisitor();
        browser.Headers["Host"] = "godwit.example.com";
        browser.Headers["X-Forwarded-Proto"] = "https";

        var page = await browser.GetAsync("/login/openid");

        page.Location!.ShouldContain($"redirect_uri={Uri.EscapeDataString("https://godwit.example.com/login/openid/callback")}");
        page.Cookies.Single(c => c.StartsWith("godwit_openid", StringComparison.Ordinal)).ShouldContain("secure");
    }
}
