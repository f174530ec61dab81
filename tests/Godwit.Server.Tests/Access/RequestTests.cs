using System.Text;
using Godwit.Metadata;
using Godwit.Metadata.Accounts;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Access;

/// <summary>What is refused whoever asks.</summary>
public class RequestTests
{
    private static readonly string[] Posts = ["/login", "/setup", "/account", "/users/viewer", "/users/viewer/ask/remove", "/new-user", "/settings", "/tokens/000000000000/remove", "/logout"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string> Forms => [.. Posts];

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task A_form_without_its_token_is_refused_and_says_so(string path)
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Admin);
        await site.AddAsync("viewer", Role.Viewer);
        var handler = new Dictionary<string, string> { ["/login"] = "login", ["/setup"] = "setup", ["/account"] = "logout-all", ["/users/viewer"] = "role", ["/new-user"] = "user", ["/settings"] = "drain" };

        var page = await browser.PostAsync(path, ("_handler", handler.GetValueOrDefault(path, "ask")), ("Form.Value", "true"), ("Form.Role", "Admin"));

        page.Status.ShouldBe(400);
        page.Heading.ShouldBe("That could not be understood");
        (await site.Accounts.ListAsync(Ct)).Select(u => u.Role).ShouldBe([Role.Admin, Role.Viewer]);
        (await site.AuditAsync()).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task A_form_of_another_site_is_refused(string path)
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Admin);
        foreach (var (name, value) in new[] { ("Origin", "https://evil.example"), ("Origin", "null"), ("Origin", "http://127.0.0.1:1"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site") })
        {
            browser.Headers.Clear();
            browser.Headers[name] = value;
            (await browser.PostAsync(path, ("Form.Value", "true"))).Status.ShouldBe(403);
        }

        site.Log.ShouldContain("Warning: A request from 127.0.0.1 was refused: it comes from a page of another site");
    }

    [Fact]
    public async Task The_token_of_one_persons_form_is_no_good_for_another()
    {
        await using var site = await Site.StartAsync();
        using var mallory = await site.VisitorOfAsync(Role.Viewer, "mallory");
        using var admin = await site.VisitorOfAsync(Role.Admin);
        var form = (await mallory.GetAsync("/account")).Form("logout-all")!.Value;
        admin.SetCookie("godwit_form", mallory.Cookie("godwit_form")!);

        (await admin.PostAsync("/account", [.. form.Hidden])).Status.ShouldBe(400);
    }

    [Fact]
    public async Task A_name_that_is_not_ours_is_not_served()
    {
        await using var site = await Site.StartAsync(o => o with { Hosts = ["godwit.example.com"] });
        using var browser = site.NewVisitor();
        browser.Headers["Host"] = "evil.example";
        (await browser.GetAsync("/login")).Status.ShouldBe(421);
        browser.Headers["Host"] = "godwit.example.com";
        (await browser.GetAsync("/login")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Every_page_tells_the_browser_what_it_must_not_do_with_it()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Admin);
        foreach (var path in new[] { "/", "/login", "/users", "/nonsense", "/account" })
        {
            var page = await browser.GetAsync(path);
            page.Headers.ShouldContain("frame-ancestors 'none'");
            page.Headers.ShouldContain("X-Content-Type-Options: nosniff");
            page.Headers.ShouldContain("no-store");
        }
    }

    [Theory]
    [InlineData("/nonsense", "There is no such page")]
    [InlineData("/users/a/b/c/d", "There is no such page")]
    [InlineData("/runs/nope", "There is no run nope")]
    [InlineData("/runs/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "There is no run <script>alert(1)</script>")]
    [InlineData("/runs/%22%27%C3%BC%E2%80%AE", "There is no run \"'ü")]
    [InlineData("/users/%3Cimg%20src=x%3E", "There is no user <img src=x>")]
    [InlineData("/runs/nope/ask/pause", "There is nothing to ask")]
    [InlineData("/users/nope/ask/remove", "There is nothing to ask")]
    [InlineData("/tokens/nope/remove", "There is no such token")]
    public async Task What_is_not_there_is_answered_with_404_and_in_words(string path, string heading)
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Admin);

        var page = await browser.GetAsync(path);

        page.Status.ShouldBe(404);
        page.Heading.ShouldStartWith(heading);
        page.Html.ShouldNotContain("<script>alert");
        page.Html.ShouldNotContain("<img src=x");
        page.Html.ShouldContain("<title>");
    }

    [Theory]
    [InlineData("/audit?before=abc")]
    [InlineData("/audit?before=99999999999999999999999")]
    [InlineData("/audit?find=%3Cscript%3Ealert(1)%3C/script%3E")]
    [InlineData("/audit?find=%00%ff%fe")]
    [InlineData("/runs?page=-5")]
    [InlineData("/runs?page=99999999999")]
    [InlineData("/settings?done=%3Cscript%3E")]
    [InlineData("/login?problem=%3Cscript%3E&next=%3Cscript%3E")]
    [InlineData("/users/..%2f..%2fetc%2fpasswd")]
    [InlineData("/theme/%3Cscript%3E?next=//evil.example")]
    public async Task What_makes_no_sense_in_an_address_breaks_nothing(string path)
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Admin);

        var page = await browser.GetAsync(path);

        page.Status.ShouldBeLessThan(500);
        page.Html.ShouldNotContain("<script>alert");
        (page.Location ?? "/").ShouldStartWith("/");
        (page.Location ?? "/").ShouldNotStartWith("//");
    }

    [Fact]
    public async Task A_body_that_is_too_large_or_no_form_is_refused()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Admin);
        var form = (await browser.GetAsync("/new-user")).Form("user")!.Value;

        (await browser.PostAsync("/new-user", [.. form.Hidden, ("Form.Name", new string('x', 2 << 20))])).Status.ShouldBeInRange(400, 413);
        using var json = new StringContent("{\"a\":1}", Encoding.UTF8, "application/json");
        (await browser.SendAsync(HttpMethod.Post, "/new-user", json)).Status.ShouldBe(400);
        using var broken = new StringContent("--x\r\nContent-Disposition: form-data; name=", Encoding.UTF8, "multipart/form-data");
        (await browser.SendAsync(HttpMethod.Post, "/new-user", broken)).Status.ShouldBe(400);
        using var many = new StringContent(string.Join('&', Enumerable.Range(0, 5000).Select(i => $"f{i}=x")), Encoding.UTF8, "application/x-www-form-urlencoded");
        (await browser.SendAsync(HttpMethod.Post, "/new-user", many)).Status.ShouldBe(400);
        (await browser.SendAsync(HttpMethod.Put, "/users", null)).Status.ShouldBe(405);
        (await browser.GetAsync("/users")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task What_goes_wrong_is_shown_as_a_number_and_logged_under_it()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Viewer);
        await site.Store.DisposeAsync();

        var page = await browser.GetAsync("/account?secret=hunter2");

        page.Status.ShouldBe(500);
        page.Heading.ShouldBe("Something went wrong");
        page.Html.ShouldNotContain("Exception");
        page.Headers.ShouldContain("frame-ancestors 'none'");
        var number = System.Text.RegularExpressions.Regex.Match(page.Html, "<code>([^<]+)</code>").Groups[1].Value;
        var line = site.Log.Single(l => l.Contains($"Request {number} failed: GET /account", StringComparison.Ordinal));
        line.ShouldStartWith("Error:");
        line.ShouldNotContain("hunter2");
    }

    [Fact]
    public async Task A_store_that_does_not_answer_is_said_to_be_away()
    {
        await using var site = await Site.StartAsync();
        using var browser = await site.VisitorOfAsync(Role.Operator);
        var (action, hidden) = (await browser.GetAsync("/settings")).Form("drain")!.Value;
        File.Move(site.State, $"{site.State}.gone");

        // Only what is written notices that the file is gone.
        var page = await browser.PostAsync(action!, [.. hidden, ("Form.Value", "true"), ("Form.Act", "save")]);

        File.Move($"{site.State}.gone", site.State);
        page.Status.ShouldBe(503);
        page.Heading.ShouldBe("The store does not answer");
        page.Text.ShouldNotContain(site.State);
        site.Log.ShouldContain(l => l.Contains(nameof(StoreException), StringComparison.Ordinal));
    }
}
