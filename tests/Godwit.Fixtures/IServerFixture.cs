using Godwit.ClickHouse;

namespace Godwit.Fixtures;

/// <summary>A ClickHouse of whatever age in a folder of its own, which can be crashed and started again.</summary>
public interface IServerFixture
{
    /// <summary>The HTTP interface; user default, no password.</summary>
    Uri Url { get; }

    /// <summary>The process that runs ClickHouse.</summary>
    int Pid { get; }

    /// <summary>A gateway to it.</summary>
    ClickHouseGateway Gateway(HttpMessageHandler? network = null);

    /// <summary>A new database that belongs to the caller.</summary>
    Task<string> NewDatabaseAsync();

    /// <summary>Drops a database with all its tables.</summary>
    Task DropDatabaseAsync(string name);

    /// <summary>Ends it as a crash does, and returns when it is gone.</summary>
    Task KillAsync();

    /// <summary>Starts it again on the same data and ports.</summary>
    Task RestartAsync();
}
