using Godwit.Fixtures;
using Xunit;

[assembly: AssemblyFixture(typeof(Godwit.IntegrationTests.RealEngine))]
[assembly: TestLimit(10)]

namespace Godwit.IntegrationTests;

/// <summary>The engine that all tests share which do not kill theirs; each makes a database of its own.</summary>
public sealed class RealEngine : IAsyncLifetime
{
    /// <summary>The engine.</summary>
    public EngineFixture Engine { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Engine = await EngineFixture.StartAsync(configuration: KafkaFixture.ClickHouseConfiguration);

    public ValueTask DisposeAsync() => Engine.DisposeAsync();
}
