using Godwit.ClickHouse;
using Godwit.Metadata.Accounts;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Access;

/// <summary>Tests that each have a server, and an identity provider by which people log in to it.</summary>
public abstract class OpenIdScene : IAsyncLifetime
{
    private protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    private protected FakeProvider Provider { get; private set; } = null!;

    private protected Site Site { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Provider = await FakeProvider.StartAsync();
        Site = await Site.StartAsync(Options);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Site.DisposeAsync();
        await Provider.DisposeAsync();
    }

    private protected ServeOptions Options(ServeOptions options) => options with
    {
        OpenId = new OpenIdOptions(Provider.Url, FakeProvider.ClientId, new Secret(FakeProvider.ClientSecret))
        {
            Roles = new Dictionary<string, Role> { ["people"] = Role.Viewer, ["operators"] = Role.Operator, ["admins"] = Role.Admin },
        },
    };

    private protected static async Task<Page> LoginAsync(Visitor browser, string path = "/login/openid") => await browser.GetAsync(await GoAsync(browser, path));

    /// <summary>Goes to the provider.</summary>
    /// <returns>Where the provider sends the browser back to.</returns>
    private protected static async Task<string> GoAsync(Visitor browser, string path)
    {
        var away = await browser.GetAsync(path);
        away.Status.ShouldBe(302);
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var answer = await http.GetAsync(new Uri(away.Location!), Ct);
        return answer.Headers.Location!.PathAndQuery;
    }
}
