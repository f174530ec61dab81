using System.Net;
using Godwit.ClickHouse;
using Godwit.Metadata.Accounts;
using Godwit.Server.Access;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Access;

public sealed class OpenIdTests : IAsyncLifetime
{
    private const string Refused = "/login?problem=openid";
    private FakeProvider _provider = null!;
    private Site _site = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _provider = await FakeProvider.StartAsync();
        _site = await Site.StartAsync(Options);
    }

    public async ValueTask DisposeAsync()
    {
        await _site.DisposeAsync();
        await _provider.DisposeAsync();
    }

    [Fact]
    public async Task Somebody_whom_the_provider_vouches_for_is_let_in_with_the_highest_role_of_its_groups()
    {
        _provider.Groups = ["people", "operators", "others"];
        using var browser = _site.NewVisitor();
        (await browser.GetAsync("/login?next=/audit")).Html.ShouldContain("href=\"/login/openid?next=%2Faudit\"");

        var page = await LoginAsync(browser, "/login/openid?next=/audit");

        (page.Status, page.Location).ShouldBe((302, "/audit"));
        var user = (await _site.Accounts.FindAsync("ada", Ct))!;
        (user.Role, user.Password).ShouldBe((Role.Operator, null));
        user.Subject.ShouldBe($"{_provider.Issuer}|248289761001");
        (await browser.GetAsync("/account")).Text.ShouldContain("You log in by your organisation");
        (await _site.AuditAsync())[0].ShouldBe("ada from 127.0.0.1: login ada (openid)");
        _provider.Asked!["code_challenge_method"].ToString().ShouldBe("S256");
        _provider.Asked["scope"].ToString().ShouldBe("openid profile email groups");
        browser.CookieNames.ShouldNotContain(n => n.StartsWith("godwit_openid", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_role_is_looked_at_anew_at_each_login()
    {
        using var browser = _site.NewVisitor();
        await LoginAsync(browser);
        _provider.Groups = ["admins"];
        _provider.Name = "ada.lovelace";
        using var other = _site.NewVisitor();
        await LoginAsync(other);

        // Still the same user, who also has it in the session from before.
        (await _site.Accounts.ListAsync(Ct)).Select(u => (u.Name, u.Role)).ShouldBe([("ada", Role.Admin)]);
        (await browser.GetAsync("/users")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Whoever_belongs_to_no_group_any_more_loses_what_it_had()
    {
        using var browser = _site.NewVisitor();
        await LoginAsync(browser);
        var (token, _) = await _site.Tokens.MakeAsync((await _site.Accounts.FindAsync("ada", Ct))!, "x", Role.Operator, 1, Ct);
        _provider.Groups = ["others", "Operators"];
        using var other = _site.NewVisitor();

        (await LoginAsync(other)).Location.ShouldBe(Refused);

        (await other.GetAsync(Refused)).Text.ShouldContain("you belong to none of the groups");
        (await _site.Accounts.ListAsync(Ct)).ShouldBeEmpty();
        (await browser.GetAsync("/account")).Status.ShouldBe(302);
        (await _site.Tokens.FindAsync(token!, Ct)).ShouldBeNull();
        (await _site.AuditAsync())[0].ShouldBe("somebody from 127.0.0.1: login refused openid (ada belongs to no group that is let in; the user ada is removed with its tokens)");
    }

    [Fact]
    public async Task A_user_who_was_there_is_not_taken_over_by_somebody_of_the_same_name()
    {
        await _site.AddAsync("ada", Role.Admin);
        using var browser = _site.NewVisitor();

        await LoginAsync(browser);

        (await browser.GetAsync("/account")).Heading.ShouldBe("ada-2");
        (await browser.GetAsync("/users")).Status.ShouldBe(403);
        (await _site.Accounts.FindAsync("ada", Ct))!.Subject.ShouldBeNull();
    }

    [Fact]
    public async Task Two_people_of_one_name_are_two_users()
    {
        using var browser = _site.NewVisitor();
        await LoginAsync(browser);
        _provider.Subject = "2";
        _provider.Name = "ADA";
        using var other = _site.NewVisitor();
        await LoginAsync(other);

        (await _site.Accounts.ListAsync(Ct)).Select(u => u.Name).Order().ShouldBe(["ADA-2", "ada"], ignoreOrder: true);
    }

    [Theory]
    [InlineData("<script>alert(1)</script>", "scriptalert1script")]
    [InlineData("Ädä Löv ☃", "dLv")]
    [InlineData("☃", "somebody")]
    [InlineData("../../etc", "etc")]
    public async Task What_a_provider_calls_people_becomes_a_name_like_those_of_others(string name, string kept)
    {
        _provider.Name = name;
        using var browser = _site.NewVisitor();
        await LoginAsync(browser);

        (await browser.GetAsync("/account")).Heading.ShouldBe(kept);
    }

    [Fact]
    public async Task Groups_that_stand_only_at_the_userinfo_endpoint_count_too()
    {
        _provider.IsTerse = true;
        using var browser = _site.NewVisitor();
        (await LoginAsync(browser)).Location.ShouldBe("/");
        (await browser.GetAsync("/account")).Heading.ShouldBe("ada");

        _provider.IsConfused = true;
        using var other = _site.NewVisitor();
        (await LoginAsync(other)).Location.ShouldBe(Refused);
    }

    [Fact]
    public async Task An_only_group_may_be_written_as_a_text()
    {
        _provider.Twist = claims => claims["groups"] = "admins";
        using var browser = _site.NewVisitor();
        await LoginAsync(browser);

        (await _site.Accounts.FindAsync("ada", Ct))!.Role.ShouldBe(Role.Admin);
    }

    public static TheoryData<string> Lies => ["nonce", "no nonce", "audience", "party", "issuer", "expired", "no end", "not yet", "nobody", "none", "HS256", "foreign", "words"];

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task An_ID_token_that_is_not_the_providers_word_for_this_login_is_not_believed(string lie)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        _provider.Signature = lie is "none" or "HS256" or "foreign" ? lie : "RS256";
        _provider.Twist = lie switch
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
        using var browser = _site.NewVisitor();

        (await LoginAsync(browser)).Location.ShouldBe(Refused);

        _provider.Redeemed.ShouldBe(1);
        (await _site.Accounts.ListAsync(Ct)).ShouldBeEmpty();
        browser.Cookie("godwit_session").ShouldBeNull();
    }

    [Fact]
    public async Task A_way_back_is_good_once()
    {
        using var browser = _site.NewVisitor();
        var back = await GoAsync(browser, "/login/openid");
        var cookies = browser.CookieNames.ToDictionary(n => n, n => browser.Cookie(n)!);
        (await browser.GetAsync(back)).Location.ShouldBe("/");

        (await browser.GetAsync(back)).Location.ShouldBe(Refused);

        // Nor is it for somebody who has kept the cookie: the provider's code is used.
        using var copy = _site.NewVisitor();
        cookies.ToList().ForEach(c => copy.SetCookie(c.Key, c.Value));
        (await copy.GetAsync(back)).Location.ShouldBe(Refused);
        copy.Cookie("godwit_session").ShouldBeNull();
    }

    [Fact]
    public async Task Nobody_comes_back_who_did_not_set_out_in_this_browser()
    {
        using var mallory = _site.NewVisitor();
        var back = await GoAsync(mallory, "/login/openid");
        using var victim = _site.NewVisitor();
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
        _provider.Tried.ShouldBe(0);
    }

    [Fact]
    public async Task Whoever_takes_too_long_has_to_set_out_again()
    {
        using var browser = _site.NewVisitor();
        var back = await GoAsync(browser, "/login/openid");
        _site.Clock.Advance(TimeSpan.FromMinutes(16));

        (await browser.GetAsync(back)).Location.ShouldBe(Refused);
        _provider.Tried.ShouldBe(0);
    }

    [Theory]
    [InlineData("/login/openid/callback")]
    [InlineData("/login/openid/callback?error=access_denied&state=x")]
    [InlineData("/login/openid/callback?code=x&state=%3Cscript%3E%3B%0d%0a")]
    public async Task Whatever_else_comes_to_the_way_back_is_refused(string path)
    {
        using var browser = _site.NewVisitor();
        (await browser.GetAsync(path)).Location.ShouldBe(Refused);
    }

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("https://evil.example/")]
    public async Task The_way_back_leads_to_no_other_site(string next)
    {
        using var browser = _site.NewVisitor();
        (await LoginAsync(browser, $"/login/openid?next={Uri.EscapeDataString(next)}")).Location.ShouldBe("/");
    }

    [Fact]
    public async Task Ways_back_are_throttled_as_passwords_are()
    {
        using var browser = _site.NewVisitor();
        for (var i = 0; i < LoginThrottle.Most; i++)
        {
            (await browser.GetAsync("/login/openid/callback?code=x&state=y")).Location.ShouldBe(Refused);
        }

        (await LoginAsync(browser)).Location.ShouldBe("/login?problem=many");
    }

    [Fact]
    public async Task A_provider_that_changes_its_keys_is_believed_by_the_new_ones()
    {
        using var browser = _site.NewVisitor();
        await LoginAsync(browser);
        _provider.Rotate();
        _site.Clock.Advance(TimeSpan.FromMinutes(1));
        using var other = _site.NewVisitor();

        (await LoginAsync(other)).Location.ShouldBe("/");
    }

    [Fact]
    public async Task A_provider_that_is_away_or_another_one_keeps_nobody_from_logging_in_by_password()
    {
        await using var site = await Site.StartAsync(o => o with { OpenId = Options(o).OpenId! with { Authority = new Uri("http://127.0.0.1:9") } });
        await site.AddAsync("ada", Role.Viewer);
        using var browser = site.NewVisitor();
        (await browser.GetAsync("/login/openid")).Location.ShouldBe("/login?problem=openid-away");
        (await browser.GetAsync("/login?problem=openid-away")).Text.ShouldContain("does not answer");
        (await LoginTests.LoginAsync(browser, "ada", Site.Password)).Location.ShouldBe("/");
        site.Log.ShouldContain(l => l.StartsWith("Error: The identity provider http://127.0.0.1:9/", StringComparison.Ordinal));

        _provider.IssuerSaid = "https://login.example.com";
        using var other = _site.NewVisitor();
        (await other.GetAsync("/login/openid")).Location.ShouldBe("/login?problem=openid-away");
    }

    [Fact]
    public async Task Behind_a_proxy_the_provider_is_told_the_address_that_browsers_know()
    {
        await using var site = await Site.StartAsync(o => Options(o) with { Proxy = IPAddress.Loopback, Hosts = ["godwit.example.com"] });
        using var browser = site.NewVisitor();
        browser.Headers["Host"] = "godwit.example.com";
        browser.Headers["X-Forwarded-Proto"] = "https";

        var page = await browser.GetAsync("/login/openid");

        page.Location!.ShouldContain($"redirect_uri={Uri.EscapeDataString("https://godwit.example.com/login/openid/callback")}");
        page.Cookies.Single(c => c.StartsWith("godwit_openid", StringComparison.Ordinal)).ShouldContain("secure");
    }

    [Fact]
    public async Task Somebody_of_the_organisation_gets_no_password_here_and_no_role_but_that_of_its_groups()
    {
        await _site.AddAsync("boss", Role.Admin);
        using var browser = _site.NewVisitor();
        await LoginAsync(browser);

        (await _site.Accounts.SetPasswordAsync("ada", Site.Password, Ct)).ShouldBe(["ada logs in by the organisation, and has no password here."]);
        (await _site.Accounts.SetRoleAsync("ada", Role.Admin, Ct)).ShouldBe("The role of ada comes from its groups, each time it logs in: change those.");
        (await _site.Accounts.LoginAsync("ada", "", Ct)).Outcome.ShouldBe(LoginOutcome.Unknown);
        using var boss = await _site.VisitorOfAsync(Role.Admin, "boss");
        var page = await boss.GetAsync("/users/ada");
        (page.Form("role"), page.Form("password")).ShouldBe((null, null));
    }

    [Fact]
    public async Task Its_session_ends_after_hours_so_that_its_groups_are_looked_at_again()
    {
        using var browser = _site.NewVisitor();
        await LoginAsync(browser);
        _site.Clock.Advance(Sessions.Idle - TimeSpan.FromMinutes(30));
        (await browser.GetAsync("/account")).Status.ShouldBe(200);
        _site.Clock.Advance(TimeSpan.FromHours(1));
        (await browser.GetAsync("/account")).Status.ShouldBe(302);
    }

    [Fact]
    public async Task No_secret_of_a_login_is_logged_or_kept()
    {
        using var browser = _site.NewVisitor();
        var back = await GoAsync(browser, "/login/openid");
        await browser.GetAsync(back);
        _provider.Signature = "foreign";
        await LoginAsync(_site.NewVisitor());

        var all = string.Join('\n', _site.Log.Concat(await _site.AuditAsync()));
        all.ShouldNotContain("eyJ");
        all.ShouldNotContain(back.Split("code=")[1][..32]);
        all.ShouldNotContain(FakeProvider.ClientSecret);
    }

    private ServeOptions Options(ServeOptions options) => options with
    {
        OpenId = new OpenIdOptions(_provider.Url, FakeProvider.ClientId, new Secret(FakeProvider.ClientSecret))
        {
            Roles = new Dictionary<string, Role> { ["people"] = Role.Viewer, ["operators"] = Role.Operator, ["admins"] = Role.Admin },
        },
    };

    private static async Task<Page> LoginAsync(Visitor browser, string path = "/login/openid") => await browser.GetAsync(await GoAsync(browser, path));

    /// <summary>Goes to the provider.</summary>
    /// <returns>Where the provider sends the browser back to.</returns>
    private static async Task<string> GoAsync(Visitor browser, string path)
    {
        var away = await browser.GetAsync(path);
        away.Status.ShouldBe(302);
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var answer = await http.GetAsync(new Uri(away.Location!), Ct);
        return answer.Headers.Location!.PathAndQuery;
    }
}
