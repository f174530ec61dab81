using Godwit.Fixtures;
using Godwit.Metadata.Accounts;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>Tests that each have a server of their own, and a program that calls it.</summary>
public abstract class ApiTests(RealEngine engine, Role role, bool runsWorker) : IAsyncLifetime
{
    private protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    private protected EngineFixture Engine => engine.Engine;

    private protected ServerFixture Server { get; private set; } = null!;

    private protected ApiCaller Api { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await ServerFixture.StartAsync(Engine, new ServerSetup { RunsWorker = runsWorker });
        Api = await ApiCaller.OfAsync(Server, role);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Api.Dispose();
        await Server.DisposeAsync();
    }
}
