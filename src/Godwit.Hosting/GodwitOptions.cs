using System.Data.Common;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Migrations;

namespace Godwit.Hosting;

/// <summary>
/// What Godwit works with in a host. The section <c>Godwit</c> of the host's configuration is read first, and for what it leaves open the variables
/// that the command <c>godwit</c> reads; code has the last word.
/// <list type="table">
/// <item><term><c>Godwit:ClickHouse:Url</c></term><description>GODWIT_SERVER; may hold <c>user:password@</c>.</description></item>
/// <item><term><c>Godwit:ClickHouse:User</c>, <c>Password</c></term><description>GODWIT_USER, GODWIT_PASSWORD.</description></item>
/// <item><term><c>Godwit:ClickHouse:CaCertificateFile</c></term><description>See <see cref="ClickHouseOptions.CaCertificateFile"/>.</description></item>
/// <item><term><c>Godwit:Cluster</c>, <c>Nodes</c></term><description>GODWIT_CLUSTER, GODWIT_NODES; see <see cref="ClusterOptions"/>. Nodes with commas.</description></item>
/// <item><term><c>Godwit:Store</c></term><description>GODWIT_STATE; a file, an address or a connection string, see <see cref="StoreLocation.TryParse"/>.</description></item>
/// <item><term><c>Godwit:Migrations</c></term><description>GODWIT_MIGRATIONS; a folder or a file.</description></item>
/// <item><term><c>Godwit:Packs</c></term><description>GODWIT_PACKS; names of ready-made packs, with commas.</description></item>
/// <item><term><c>Godwit:AppVersion</c></term><description>GODWIT_APP_VERSION.</description></item>
/// <item><term><c>Godwit:Hooks</c></term><description>GODWIT_HOOKS; see <see cref="HookFolder"/>.</description></item>
/// <item><term><c>Godwit:RunWorker</c></term><description>true or false.</description></item>
/// </list>
/// </summary>
/// <example><code>
/// builder.Services.AddGodwit(godwit =&gt;
/// {
///     godwit.ClickHouse = new ClickHouseOptions { Url = new Uri("http://clickhouse:8123"), User = "app", Password = new Secret(password) };
///     godwit.Store = StoreLocation.Postgres(builder.Configuration.GetConnectionString("app"));
///     godwit.AppVersion = "1.42.0";
///     godwit.Migrations.AddAssembly(typeof(Program).Assembly).AddPath("migrations");
/// });
/// </code></example>
public sealed class GodwitOptions
{
    /// <summary>The server that holds the tables. Must be set, here or in the configuration.</summary>
    public ClickHouseOptions? ClickHouse { get; set; }

    /// <summary>
    /// Where runs are kept. Must be set, here or in the configuration: a file that outlives the process, or PostgreSQL when there are several
    /// instances of the host. A relative file lies in the content root of the host.
    /// </summary>
    public StoreLocation? Store { get; set; }

    /// <summary>The migrations that the product carries.</summary>
    public MigrationSources Migrations { get; } = new();

    /// <summary>The version of the product, for migrations with a window; null when none has one.</summary>
    public string? AppVersion { get; set; }

    /// <summary>The product's own PostgreSQL, for migrations that ask it; stays the caller's. Null when there is none.</summary>
    public DbDataSource? PostgreSql { get; set; }

    /// <summary>A broker of the Kafka that feeds the tables, <c>host:port</c>, for migrations that require a version of it; null when there is none.</summary>
    public string? Kafka { get; set; }

    /// <summary>The folder with the commands that may be called as hooks (<c>command:NAME</c>); null when there is none.</summary>
    public string? HookFolder { get; set; }

    /// <summary>The cluster that the server belongs to, for operations on more than one node; null when it is alone.</summary>
    public ClusterOptions? Cluster { get; set; }

    /// <summary>Whether this host works on runs. Without it <see cref="Migrator"/> still lists, plans and steers.</summary>
    public bool RunWorker { get; set; } = true;

    /// <summary>What could not be read of the configuration.</summary>
    internal List<string> Unreadable { get; } = [];

    /// <summary>The definitions, once they are loaded.</summary>
    internal MigrationSet Definitions { get; set; } = MigrationSet.Empty;

    /// <summary>Everything that is wrong, but for the definitions.</summary>
    internal IEnumerable<string> Problems()
    {
        var server = ClickHouse is null
            ? ["Nothing says where ClickHouse is: set ClickHouse in AddGodwit, Godwit:ClickHouse:Url in the configuration, or GODWIT_SERVER."]
            : ClickHouse.Problems();
        var store = Store is null
            ? ["Nothing says where runs are kept: set Store in AddGodwit, Godwit:Store in the configuration, or GODWIT_STATE, to a file that outlives the process or to PostgreSQL."]
            : Store.Problems();
        string[] version = AppVersion is null || VersionRange.IsVersion(AppVersion) ? [] : [$"AppVersion: '{AppVersion}' is not a version such as 1.42.0."];
        return [.. Unreadable, .. server, .. store, .. version, .. new MigratorOptions { Kafka = Kafka }.Problems()];
    }
}
